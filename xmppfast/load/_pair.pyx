# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled `Pair` of pairs.py: the same, with less between two system calls."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.unistd cimport write

from ..xml import Stanza, StreamError


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL


cdef enum:
    MOST_DIGITS = 16
    BUCKETS = 128  # as in histogram.py


cdef inline int64_t _now() noexcept:
    """As `time.perf_counter_ns`."""
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * <int64_t>1_000_000_000 + now.tv_nsec


cdef inline char *_write_hex(char *out, uint64_t value) noexcept:
    """Write a number; returns the place behind it."""
    cdef char digits[MOST_DIGITS]
    cdef int count = 0
    while True:
        digits[count] = b"0123456789abcdef"[value & 15]
        count += 1
        value >>= 4
        if value == 0:
            break
    while count:
        count -= 1
        out[0] = digits[count]
        out += 1
    return out


cdef inline const char *_read_hex(const char *text, const char *end, uint64_t *value) noexcept:
    """Read a number; returns the place behind it, NULL if there is none."""
    cdef const char *begin = text
    cdef uint64_t found = 0
    while text < end and text - begin < MOST_DIGITS:
        if c"0" <= text[0] <= c"9":
            found = found << 4 | <uint64_t>(text[0] - c"0")
        elif c"a" <= text[0] <= c"f":
            found = found << 4 | <uint64_t>(text[0] - c"a" + 10)
        else:
            break
        text += 1
    value[0] = found
    return text if text > begin else NULL


cdef class Pair:
    cdef public bint echo
    cdef object _times
    cdef list _counts
    cdef int64_t _greatest
    cdef readonly int64_t sent, received, duplicated, disordered, refused, foreign
    cdef bytes _tail, _prefix
    cdef char *_message  # the next one, ...
    cdef char *_id  # ... and where number and time go
    cdef object _sender, _receiver, _feed, _write
    cdef int _descriptor
    cdef bint _behind
    cdef uint64_t _expected
    cdef set _skipped

    def __init__(self, sender, receiver, str name, bytes head, bytes tail, *, bint together):
        self._prefix = name.encode() + b"-"
        head += self._prefix
        self._message = <char *>PyMem_Malloc(
            PyBytes_GET_SIZE(head) + 2 * MOST_DIGITS + 1 + PyBytes_GET_SIZE(tail)
        )
        if self._message == NULL:
            raise MemoryError
        memcpy(self._message, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
        self._id = self._message + PyBytes_GET_SIZE(head)
        self._tail = tail
        self._sender = sender
        self._write = sender.write
        self._descriptor = -1 if together or sender.descriptor is None else sender.descriptor
        self._behind = True  # there may be something
        self._skipped = set()
        self.echo = False
        sender.stanza = self.to_sender
        receiver.stanza = self.to_receiver
        self._receiver = receiver
        self._feed = receiver.feed
        receiver.hear(self.hear)

    def __dealloc__(self):
        PyMem_Free(self._message)

    @property
    def times(self):
        return self._times

    @times.setter
    def times(self, times):
        self._times = times
        self._counts = None if times is None else times.counts
        self._greatest = 0

    @property
    def missing(self):
        return self.sent - self.received

    def send(self, int64_t since):
        self._send(since)

    cdef int _send(self, int64_t since) except -1:
        """A system call for each message; only what the network does not take is queued."""
        cdef char *end = _write_hex(self._id, <uint64_t>self.sent)
        cdef Py_ssize_t size, sent = 0
        end[0] = c"-"
        end = _write_hex(end + 1, <uint64_t>since)
        memcpy(end, PyBytes_AS_STRING(self._tail), PyBytes_GET_SIZE(self._tail))
        size = end - self._message + PyBytes_GET_SIZE(self._tail)
        self.sent += 1
        if self._descriptor >= 0 and not (self._behind and self._sender.queued):
            sent = write(self._descriptor, self._message, size)
            self._behind = sent < size
            if not self._behind:
                return 0
            sent = max(sent, 0)  # what is wrong, if anything, the transport finds out
        self._write(PyBytes_FromStringAndSize(self._message + sent, size - sent))
        return 0

    def hear(self, data):
        """Take what came for the second peer."""
        try:
            for event in self._feed(data):
                if type(event) is not Stanza or not self._take(event.id):
                    self._receiver.receive(event)
        except StreamError as error:
            self._receiver.fail(error)

    def to_receiver(self, stanza):
        if not self._take(stanza.id):
            self.foreign += stanza.name == "message"

    cdef bint _take(self, object id) except -1:
        """Take a message; False if it is not one of this pair's."""
        cdef uint64_t number = 0, since = 0
        cdef int64_t now
        if not self._read_id(id, &number, &since):
            return False
        if number == self._expected:
            self._expected += 1
        elif number > self._expected:
            self.disordered += 1
            self._skipped.update(range(self._expected, number))
            self._expected = number + 1
        elif number in self._skipped:
            self.disordered += 1
            self._skipped.remove(number)
        else:
            self.duplicated += 1
            return True
        self.received += 1
        now = _now()
        if self._counts is not None:
            self._add(now - <int64_t>since)
        if self.echo:
            self._send(now)
        return True

    def to_sender(self, stanza):
        if stanza.type == "error" and (stanza.id or "").encode().startswith(self._prefix):
            self.refused += 1

    cdef int _add(self, int64_t time) except -1:
        """As `Histogram.add_nanoseconds`."""
        cdef int shift = 0
        if time > self._greatest:
            self._greatest = time
            self._times.greatest = max(time, self._times.greatest)
        elif time < 0:
            time = 0
        while time >> shift >= BUCKETS:
            shift += 1
        self._counts[shift * BUCKETS + (time >> shift)] += 1
        return 0

    cdef bint _read_id(self, object id, uint64_t *number, uint64_t *since) except -1:
        """Whether the id is one of this pair's; number and time are in it."""
        cdef Py_ssize_t size, i, prefix = PyBytes_GET_SIZE(self._prefix)
        cdef const char *text
        cdef const char *end
        cdef const char *ours = PyBytes_AS_STRING(self._prefix)
        if id is None:
            return False
        text = PyUnicode_AsUTF8AndSize(id, &size)
        if size <= prefix:
            return False
        end = text + size
        for i in range(prefix):
            if text[i] != ours[i]:
                return False
        text = _read_hex(text + prefix, end, number)
        if text == NULL or text == end or text[0] != c"-":
            return False
        return _read_hex(text + 1, end, since) == end
