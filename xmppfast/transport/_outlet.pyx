# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled `Turn` and `Outlet` of outlet.py: the same, without a frame for each step."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from posix.unistd cimport write as write_to


cdef class Turn:
    cdef readonly object loop
    cdef readonly bint gathers
    cdef bint _reading
    cdef list _waiting

    def __init__(self, loop):
        self.loop = loop
        self.gathers = type(loop).__module__.partition(".")[0] == "uvloop"
        self._waiting = []

    cdef int flush_later(self, Outlet outlet) except -1:
        if not self._waiting and not self._reading:
            self.loop.call_soon(self.flush)
        self._waiting.append(outlet)
        return 0

    cpdef flush(self):
        cdef list waiting = self._waiting
        cdef Outlet outlet
        if not waiting:
            return
        self._waiting = []
        for outlet in waiting:
            try:
                outlet.flush()
            except Exception as error:  # the others are not to suffer
                complaint = {"message": "a connection failed", "exception": error}
                self.loop.call_exception_handler(complaint)
                outlet.abort()


cdef class Outlet:
    cdef readonly Turn turn
    cdef public object _transport, _tls, _full, _receive
    cdef public bint secure, _closing
    cdef public list _pending
    cdef public Py_ssize_t _pending_bytes
    cdef int _descriptor
    cdef bint _handed_over

    def __init__(self, Turn turn, receive):
        self.turn = turn
        self._receive = receive
        self._descriptor = -1

    def write(self, bytes data not None):
        if self._closing:
            return
        if self._pending is None:
            self.turn.flush_later(self)
            self._pending = [data]
        else:
            self._pending.append(data)
        self._pending_bytes += PyBytes_GET_SIZE(data)

    cpdef flush(self):
        cdef list pending = self._pending
        cdef bytes data
        if pending is None or (self._tls is not None and not self.secure):
            return
        self._pending = None
        self._pending_bytes = 0
        if self._closing or self._transport is None:
            return
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        if self._tls is None:
            self._send(data)
        else:
            self._encrypt(data)
        if self._full is not None:
            self._fell_behind()

    def direct(self, descriptor):
        self._descriptor = descriptor

    cpdef _send(self, bytes data):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), sent = 0
        if self._descriptor >= 0:
            if self._handed_over:
                self._handed_over = self._transport.get_write_buffer_size() != 0
            if not self._handed_over:
                sent = write_to(self._descriptor, PyBytes_AS_STRING(data), size)
                if sent == size:
                    return
                if sent > 0:
                    data = data[sent:]
                self._handed_over = True
        self._transport.write(data)

    def read(self, data):
        cdef Turn turn = self.turn
        turn._reading = True
        try:
            self._receive(data)
        finally:
            turn._reading = False
            turn.flush()
