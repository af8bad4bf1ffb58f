# Paths: the one plain name that find() and its kin mostly get; ElementTree reads the others.

@cython.no_gc
@cython.final
cdef class _Step:
    """A path of one plain name: children with a tag."""

    cdef bytes ns, local

    cdef uint32_t next_match(self, const xf_piece *piece, uint32_t parent, uint32_t slot):
        """The first child from `slot` on that matches, or 0."""
        cdef uint32_t end = parent + xf_element_at(piece.tape, parent).skip
        cdef const xf_element *e
        cdef const uint8_t *local
        cdef uint32_t length
        cdef xf_span uri
        while slot < end:
            e = xf_element_at(piece.tape, slot)
            local = piece.bytes + (e.start - piece.base) + 1
            length = e.name_length
            if e.prefix_length:
                local += e.prefix_length + 1
                length -= e.prefix_length + 1
            if length == <uint32_t>PyBytes_GET_SIZE(self.local) and (
                memcmp(local, PyBytes_AS_STRING(self.local), length) == 0
            ):
                uri = xf_namespace(piece, e.ns)
                if _unescaped(piece, e.ns):
                    if uri.length == <uint32_t>PyBytes_GET_SIZE(self.ns) and (
                        memcmp(uri.bytes, PyBytes_AS_STRING(self.ns), uri.length) == 0
                    ):
                        return slot
                elif (_namespace_name(piece, e.ns) or "").encode() == self.ns:
                    return slot
            slot += e.skip
        return 0


cdef inline bint _unescaped(const xf_piece *piece, uint32_t ns) noexcept:
    """Whether a namespace's bytes are what they stand for."""
    if ns & XF_NS_HEADER and ns < XF_NS_XML:
        piece = piece.header
    return not piece.flags & (XF_ESCAPED | XF_CONTROL)


cdef dict _steps = {}
cdef enum:
    MOST_STEPS = 512

cdef str _last_path = None
cdef _Step _last_step = None


cdef inline _Step _step(str path, namespaces):
    """The step that a path is, or None for other paths."""
    if XF_SHARED_CACHE and path is _last_path and namespaces is None:
        return _last_step
    return _look_up_step(path, namespaces)


cdef _Step _look_up_step(str path, namespaces):
    global _last_path, _last_step
    cdef _Step step
    if namespaces is not None:
        return None
    known = _steps.get(path, False)
    if known is not False:
        _last_path, _last_step = path, known
        return <_Step>known
    ns, brace, local = path[1:].rpartition("}") if path.startswith("{") else ("", "", path)
    if (path.startswith("{") and not brace) or ns == "*" or not local or not all(
        c.isalnum() or c in "_-" for c in local
    ) or ("{" in ns or "}" in ns):
        step = None
    else:
        step = _Step.__new__(_Step)
        step.ns = ns.encode()
        step.local = local.encode()
    if len(_steps) >= MOST_STEPS:
        _steps.clear()
    _steps[path] = step
    return step


cdef list _search(Element top, str path, namespaces):
    """Have ElementTree search its tree of the element, and find the results' counterparts."""
    tree = _to_etree(top.piece, top.slot)
    cdef dict slots = {}
    cdef uint32_t slot = top.slot
    for element in tree.iter():
        slots[element] = slot
        slot = _first_child(top.piece, slot)
    return [
        top if slots[found] == top.slot else top.child(slots[found])
        for found in tree.findall(path, namespaces)
    ]
