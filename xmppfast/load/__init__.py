"""Load on an XMPP server, and what it takes: sessions of many accounts in one process.

    crowd     the sessions, and how they log in
    pairs     messages from one session to another: order, loss and duplication, latency
    runs      the kinds of load: logins, throughput, rate, idle sessions, presence, replay
    observed  CPU time and memory of the server's processes
    report    what a run found

Senders and receivers live in this process, so there is one clock, and what is sent is known when
it comes. Works with any server that takes the accounts' passwords.
"""
