/* What no server can be faster than: bytes from one connection go to another, unread.
 *
 * A connection first sends a number and a line end. When the other one of its pair, whose number
 * differs in the last bit, is there, both are told "<ok/>"; what follows goes from one to the other.
 * One thread, epoll. It prints its port when it listens.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536, READ = 65536, EVENTS = 256 };

struct end {
    int fd;
    long number;
    struct end *other;
    char *queue; /* what the network did not take yet */
    size_t queued;
};

static struct end *ends[MOST];
static int poller;

static void watch(struct end *end, int operation, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = end};
    epoll_ctl(poller, operation, end->fd, &event);
}

static void leave(struct end *end)
{
    if (end->number >= 0)
        ends[end->number] = NULL;
    if (end->other)
        end->other->other = NULL;
    close(end->fd);
    free(end->queue);
    free(end);
}

static void drain(struct end *end)
{
    ssize_t sent = send(end->fd, end->queue, end->queued, MSG_NOSIGNAL);
    if (sent <= 0)
        return;
    end->queued -= (size_t)sent;
    memmove(end->queue, end->queue + sent, end->queued);
    if (!end->queued)
        watch(end, EPOLL_CTL_MOD, EPOLLIN);
}

static void put(struct end *end, const char *data, size_t size)
{
    ssize_t sent = end->queued ? 0 : send(end->fd, data, size, MSG_NOSIGNAL);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    if (taken == size)
        return;
    char *larger = realloc(end->queue, end->queued + size - taken);
    if (!larger)
        abort();
    end->queue = larger;
    memcpy(end->queue + end->queued, data + taken, size - taken);
    if (!end->queued)
        watch(end, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    end->queued += size - taken;
}

static int introduce(struct end *end, char *line)
{
    char *rest;
    long number = strtol(line, &rest, 10);
    if (rest == line || number < 0 || number >= MOST || ends[number])
        return 0;
    end->number = number;
    ends[number] = end;
    end->other = ends[number ^ 1];
    if (end->other) {
        end->other->other = end;
        put(end, "<ok/>", 5);
        put(end->other, "<ok/>", 5);
    }
    return 1;
}

static void receive(struct end *end)
{
    static char data[READ + 1];
    ssize_t size = recv(end->fd, data, READ, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size > 0 && end->number >= 0) {
        if (end->other)
            put(end->other, data, (size_t)size);
        return;
    }
    data[size > 0 ? size : 0] = '\0';
    if (size <= 0 || !introduce(end, data))
        leave(end);
}

static void welcome(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct end *end = calloc(1, sizeof *end);
        if (!end)
            abort();
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        end->fd = fd;
        end->number = -1;
        watch(end, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("relay");
        return 1;
    }
    poller = epoll_create1(0);
    struct epoll_event events[EVENTS], first = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &first);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct end *end = events[i].data.ptr;
            if (!end)
                welcome(listener);
            else if (events[i].events & EPOLLOUT && end->queued)
                drain(end); /* what else there is comes with the next turn */
            else
                receive(end);
        }
    }
}
