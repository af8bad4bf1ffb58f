# StreamParser, its iterator, and parse.

cdef const xf_kernel *_kernel = xf_best_kernel()


def kernels():
    """Names of the kernels this processor can run, slowest first."""
    cdef unsigned number = 0
    cdef list names = []
    while xf_usable_kernel(number) != NULL:
        names.append(xf_kernel_name(xf_usable_kernel(number)).decode())
        number += 1
    return tuple(names)


def kernel():
    """Name of the kernel that new parsers use."""
    return xf_kernel_name(_kernel).decode()


def use_kernel(str name not None):
    """Have new parsers use that kernel; ValueError for one that is not in `kernels()`."""
    global _kernel
    cdef unsigned number
    for number, usable in enumerate(kernels()):
        if usable == name:
            _kernel = xf_usable_kernel(number)
            return
    raise ValueError(f"no kernel {name!r} here; there are {', '.join(kernels())}")


cdef size_t plain_run(str text, size_t start) noexcept:
    """Number of characters from `start` on that can stand anywhere in XML as they are."""
    cdef int width = PyUnicode_KIND(text)
    return xf_plain_run(
        _kernel,
        <char *>PyUnicode_DATA(text) + start * width,
        PyUnicode_GET_LENGTH(text) - start,
        width,
    )


cdef xf_limits _c_limits(object limits) except *:
    cdef xf_limits result
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits, not {type(limits).__name__}")
    result.stanza_bytes = limits.stanza_bytes
    result.depth = limits.depth
    result.attributes = limits.attributes
    result.children = limits.children
    result.name_bytes = limits.name_bytes
    result.namespaces = limits.namespaces
    return result


cdef bytes _as_bytes(object data):
    """The input as bytes that nobody else changes."""
    cdef Py_buffer view
    if type(data) is bytes:
        return <bytes>data
    if isinstance(data, str):
        # A lone surrogate becomes bytes that are not UTF-8, and an error at its place.
        return (<str>data).encode("utf-8", "surrogatepass")
    try:
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    except BufferError:
        return memoryview(data).tobytes()
    except TypeError:
        raise TypeError(f"data must be bytes-like or str, not {type(data).__name__}") from None
    try:
        return PyBytes_FromStringAndSize(<const char *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)


cdef object _error(const xf_tokenizer *t):
    condition = xf_error_condition(t.error).decode().upper()
    return StreamError(
        StreamCondition[condition],
        xf_error_text(t.error).decode(),
        t.error_offset,
        t.error_line,
        t.error_column,
    )


cdef inline Stanza _stanza(const xf_event *event, StreamStart header):
    cdef Stanza stanza = Stanza.__new__(Stanza)
    stanza.piece = _copy_piece(event)
    stanza.owner = header
    return stanza


# The stream header that was read last: most clients of a server send the same one. Long ones are
# rare, and not worth keeping.
cdef StreamStart _latest = None
cdef enum:
    LONGEST_SHARED = 1024


cdef StreamStart _start(const xf_event *event):
    """The stream header of an event; one object for the same header again and again."""
    global _latest
    cdef StreamStart header
    if _latest is not None and _same_piece(_latest.piece, event):
        return _latest
    header = StreamStart.__new__(StreamStart)
    header.piece = _copy_piece(event)
    if XF_SHARED_CACHE and event.length <= LONGEST_SHARED:
        _latest = header
    return header


_default_limits = Limits()


@cython.final
cdef class StreamParser:
    """Bytes of an XMPP stream in, events out; see `feed`.

    Once the stream is found wrong, every call raises that `StreamError` again.
    """

    cdef xf_tokenizer tokenizer
    cdef const uint8_t *data
    cdef size_t size
    cdef bytes current  # what `data` points into
    cdef object waiting  # a deque of input behind it; None if there is none
    cdef StreamStart header
    cdef object error
    cdef object _limits
    cdef bint drained  # all input is tokenized
    cdef bint closed
    cdef object __weakref__

    def __init__(self, *, limits=_default_limits):
        cdef xf_limits c_limits = _c_limits(limits)
        xf_release(&self.tokenizer)
        xf_init(&self.tokenizer, &c_limits, &_allocator, _kernel)
        self._limits = limits
        self.size = 0
        self.current = self.waiting = self.header = self.error = None
        self.closed = False
        self.drained = True

    def __cinit__(self):
        cdef xf_limits c_limits = _c_limits(_default_limits)
        xf_init(&self.tokenizer, &c_limits, &_allocator, _kernel)

    def __dealloc__(self):
        xf_release(&self.tokenizer)

    @property
    def limits(self):
        """The bounds this parser holds the stream to."""
        return self._limits

    @cython.critical_section
    def feed(self, data):
        """Take more bytes; the iterator tokenizes them as it is read.

        A `StreamError` is raised by the iterator, after everything that was complete before it.
        What an iterator leaves unread, the next one begins with. Raises TypeError for other types
        and ValueError after `close`.
        """
        cdef _Events events
        self.check()
        if self.closed:
            raise ValueError("the parser is closed")
        self.append(_as_bytes(data))
        events = _Events.__new__(_Events)
        events.parser = self
        return events

    @cython.critical_section
    def restart(self):
        """Begin a new stream with the next unread byte (RFC 6120 section 4.3.3).

        White space in front of the new stream's header belongs to the old one. Raises ValueError
        after `close`.
        """
        cdef size_t size
        cdef const uint8_t *unread
        cdef bytes again
        self.check()
        if self.closed:
            raise ValueError("the parser is closed")
        unread = xf_unread(&self.tokenizer, &size)
        if size:
            again = unread[:size] + self.data[: self.size]
            self.current = again
            self.drained = False
            self.data = <const uint8_t *>PyBytes_AS_STRING(again)
            self.size = PyBytes_GET_SIZE(again)
        xf_restart(&self.tokenizer)
        self.header = None

    @cython.critical_section
    def close(self):
        """End of input: drop what is unread; StreamError if it ends inside a stanza or tag."""
        self.check()
        self.size = 0
        self.current = self.waiting = None
        if self.closed:
            return
        self.closed = True
        if xf_finish(&self.tokenizer) == XF_FAILED:
            self.fail()

    cdef int check(self) except -1:
        if self.error is not None:
            raise self.error.with_traceback(None)
        return 0

    cdef int fail(self) except -1:
        self.error = _error(&self.tokenizer)
        self.size = 0
        self.current = self.waiting = None
        raise self.error

    cdef int append(self, bytes data) except -1:
        if PyBytes_GET_SIZE(data) == 0:
            return 0
        self.drained = False
        if self.size or self.waiting is not None:
            if self.waiting is None:
                self.waiting = deque()
            self.waiting.append(data)
        else:
            self.read_from(data)
        return 0

    cdef void read_from(self, bytes data):
        self.current = data
        self.data = <const uint8_t *>PyBytes_AS_STRING(data)
        self.size = PyBytes_GET_SIZE(data)

    cdef bint advance(self):
        """Go on to the input that waits; False if none does."""
        self.current = None
        if self.waiting is None:
            return False
        self.read_from(self.waiting.popleft())
        if not self.waiting:
            self.waiting = None
        return True

    cdef object next_event(self):
        """The next event, or None."""
        cdef xf_event event
        cdef xf_status status
        cdef StreamEnd end
        if self.drained or self.closed:
            return None
        while True:
            status = xf_next(&self.tokenizer, &self.data, &self.size, &event)
            if status == XF_STANZA:
                return _stanza(&event, self.header)
            if status == XF_MORE:
                if not self.advance():
                    self.drained = True
                    return None
            elif status == XF_START:
                self.header = _start(&event)
                xf_adopt(&self.tokenizer, self.header.piece)
                return self.header
            elif status == XF_END:
                end = StreamEnd.__new__(StreamEnd)
                end._raw = PyBytes_FromStringAndSize(<const char *>event.bytes, event.length)
                return end
            elif status == XF_NO_MEMORY:
                raise MemoryError
            else:
                self.fail()


@cython.final
@cython.freelist(8)
cdef class _Events:
    """Iterator over a parser's events."""

    cdef StreamParser parser

    def __iter__(self):
        return self

    def __next__(self):
        cdef StreamParser parser = self.parser
        if parser is None:
            raise StopIteration
        with cython.critical_section(parser):
            parser.check()
            event = parser.next_event()
        if event is None:
            raise StopIteration
        return event


def parse(data, *, limits=_default_limits):
    """Read one whole element; an XML declaration may precede it, white space surround it.

    Raises StreamError as a stream would.
    """
    cdef xf_tokenizer tokenizer
    cdef xf_limits c_limits = _c_limits(limits)
    cdef bytes source = _as_bytes(data)
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(source)
    cdef size_t size = PyBytes_GET_SIZE(source)
    cdef xf_event event
    cdef xf_status status
    cdef Stanza stanza = None
    xf_init(&tokenizer, &c_limits, &_allocator, _kernel)
    xf_expect_element(&tokenizer)
    try:
        status = xf_next(&tokenizer, &at, &size, &event)
        if status == XF_STANZA:
            stanza = _stanza(&event, None)
            status = xf_next(&tokenizer, &at, &size, &event)
        if status == XF_MORE:
            status = xf_finish(&tokenizer)
        if status == XF_NO_MEMORY:
            raise MemoryError
        if status == XF_FAILED:
            raise _error(&tokenizer)
        return stanza
    finally:
        xf_release(&tokenizer)
