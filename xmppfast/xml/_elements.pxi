# Element, and what it reads from a stanza's tape.

cdef inline str _tag(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
    return _clark(
        piece,
        e.ns,
        piece.bytes + (e.start - piece.base) + 1 + skip,
        e.name_length - skip,
    )


cdef inline str _name(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t skip = e.prefix_length + 1 if e.prefix_length else 0
    return _cached(
        piece.bytes + (e.start - piece.base) + 1 + skip,
        e.name_length - skip,
        piece.flags & XF_WIDE,
    )


cdef str _namespace_name(const xf_piece *piece, uint32_t ns):
    cdef xf_span uri = xf_namespace(piece, ns)
    if uri.bytes == NULL:
        return None
    if ns == XF_NS_XML:
        return "http://www.w3.org/XML/1998/namespace"
    if ns & XF_NS_HEADER:
        piece = piece.header
    if piece.flags & (XF_ESCAPED | XF_CONTROL):
        return _text(piece, uri, XF_VALUE)
    return _cached(uri.bytes, uri.length, piece.flags & XF_WIDE)


cdef inline bint _has_children(const xf_element *e) noexcept:
    return e.skip > XF_ELEMENT_SLOTS + e.attributes


cdef inline uint32_t _first_child(const xf_piece *piece, uint32_t slot) noexcept:
    return slot + XF_ELEMENT_SLOTS + xf_element_at(piece.tape, slot).attributes


cdef inline uint32_t _end(const xf_piece *piece, uint32_t slot) noexcept:
    """Offset behind the element's last byte."""
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef const uint8_t *b = piece.bytes - piece.base
    if e.content_end == e.tag_end and b[e.tag_end - 2] == c"/":
        return e.tag_end
    # An end tag has its name, white space, and the first ">" from there on.
    return <uint32_t>(
        <const uint8_t *>memchr(b + e.content_end, c">", piece.base + piece.length - e.content_end)
        - b
    ) + 1


cdef inline str _between(const xf_piece *piece, uint32_t begin, uint32_t end):
    """Text between two tags, or None if there is none."""
    cdef xf_span source
    if begin == end:
        return None
    source.bytes = piece.bytes + (begin - piece.base)
    source.length = end - begin
    text = _text(piece, source, XF_TEXT)
    return text if PyUnicode_GET_LENGTH(text) else None


cdef inline str _text_of(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *e = xf_element_at(piece.tape, slot)
    cdef uint32_t end = e.content_end
    if _has_children(e):
        end = xf_element_at(piece.tape, _first_child(piece, slot)).start
    return _between(piece, e.tag_end, end)


cdef inline str _tail_of(const xf_piece *piece, uint32_t slot):
    cdef const xf_element *parent
    cdef uint32_t next_slot, end
    if slot == 0:
        return None
    next_slot = slot + xf_element_at(piece.tape, slot).skip
    parent = xf_element_at(piece.tape, xf_element_at(piece.tape, slot).parent)
    end = parent.content_end
    if next_slot < xf_element_at(piece.tape, slot).parent + parent.skip:
        end = xf_element_at(piece.tape, next_slot).start
    return _between(piece, _end(piece, slot), end)


@cython.no_gc
@cython.freelist(32)
cdef class Element:
    """An element of a stanza: a view of the stanza's bytes, made when asked for, immutable.

    Names are Clark names, "{namespace}local", or plain "local" outside any namespace. Elements are
    equal when their tags, attributes, text and children are (with the children's tails).
    """

    cdef object owner
    cdef const xf_piece *piece
    cdef uint32_t slot

    __match_args__ = ("tag",)

    def __cinit__(self):
        self.piece = &_empty

    def __init__(self):
        raise TypeError(f"{type(self).__name__} objects come from a parser")

    cdef inline Element child(self, uint32_t slot):
        cdef Element element = Element.__new__(Element)
        element.owner = self.owner if self.slot or type(self) is Element else self
        element.piece = self.piece
        element.slot = slot
        return element

    @property
    def tag(self):
        """Clark name."""
        return _tag(self.piece, self.slot)

    @property
    def name(self):
        """Local name."""
        return _name(self.piece, self.slot)

    @property
    def xmlns(self):
        """Namespace name; None outside any namespace."""
        return _namespace_name(self.piece, xf_element_at(self.piece.tape, self.slot).ns)

    @property
    def attrib(self):
        """Attributes by Clark name in document order, read-only, without namespace declarations."""
        return MappingProxyType(_attributes(self.piece, self.slot))

    @property
    def text(self):
        """Text before the first child; None if there is none."""
        return _text_of(self.piece, self.slot)

    @property
    def tail(self):
        """Text between this element's end and the next tag; None if there is none."""
        return _tail_of(self.piece, self.slot)

    @property
    def raw(self):
        """The element's bytes as received."""
        cdef uint32_t start = xf_element_at(self.piece.tape, self.slot).start
        return PyBytes_FromStringAndSize(
            <const char *>self.piece.bytes + (start - self.piece.base),
            _end(self.piece, self.slot) - start,
        )

    def get(self, str key not None, default=None):
        """Value of the attribute with that Clark name."""
        return _get(self.piece, self.slot, key, default)

    def __len__(self):
        cdef uint32_t slot = _first_child(self.piece, self.slot)
        cdef uint32_t end = self.slot + xf_element_at(self.piece.tape, self.slot).skip
        cdef Py_ssize_t count = 0
        while slot < end:
            slot += xf_element_at(self.piece.tape, slot).skip
            count += 1
        return count

    def __bool__(self):
        """Always True, with or without children."""
        return True

    def __iter__(self):
        return _children(self)

    def __getitem__(self, index):
        cdef uint32_t slot, end
        cdef Py_ssize_t number
        if isinstance(index, slice):
            return list(self)[index]
        number = PyNumber_AsSsize_t(index, IndexError)
        if number < 0:
            number += len(self)
        if number >= 0:
            slot = _first_child(self.piece, self.slot)
            end = self.slot + xf_element_at(self.piece.tape, self.slot).skip
            while slot < end:
                if number == 0:
                    return self.child(slot)
                slot += xf_element_at(self.piece.tape, slot).skip
                number -= 1
        raise IndexError("child index out of range")

    def __eq__(self, other):
        if not isinstance(other, Element):
            return NotImplemented
        return self is other or _same_tree(self, <Element>other)

    def __hash__(self):
        return hash((self.tag, self.text, frozenset(_attributes(self.piece, self.slot).items())))

    def __repr__(self):
        shown = "".join(
            f" {key}={value!r}"
            for key in ("type", "id", "from", "to")
            if (value := self.get(key)) is not None
        )
        return f"<{type(self).__name__} {self.tag}{shown}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def find(self, str path not None, namespaces=None):
        """First match of a path in ElementTree's path language."""
        cdef _Step step = _step(path, namespaces)
        cdef uint32_t slot
        if step is None:
            return next(iter(_search(self, path, namespaces)), None)
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        return self.child(slot) if slot else None

    def findall(self, str path not None, namespaces=None):
        """All matches of a path, in document order."""
        cdef _Step step = _step(path, namespaces)
        cdef list found = []
        cdef uint32_t slot
        if step is None:
            return _search(self, path, namespaces)
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        while slot:
            found.append(self.child(slot))
            slot += xf_element_at(self.piece.tape, slot).skip
            slot = step.next_match(self.piece, self.slot, slot)
        return found

    def iterfind(self, str path not None, namespaces=None):
        """`findall` as an iterator."""
        return iter(self.findall(path, namespaces))

    def findtext(self, str path not None, default=None, namespaces=None):
        """Text of the first match: "" if it has none, `default` if nothing matches."""
        cdef _Step step = _step(path, namespaces)
        cdef uint32_t slot
        if step is None:
            found = self.find(path, namespaces)
            return default if found is None else found.text or ""
        slot = step.next_match(self.piece, self.slot, _first_child(self.piece, self.slot))
        if not slot:
            return default
        text = _text_of(self.piece, slot)
        return "" if text is None else text

    def iter(self, str tag=None):
        """This element and all inside it in document order, or those with that tag."""
        return _descendants(self, None if tag == "*" else tag)

    def itertext(self):
        """All text inside this element, in document order."""
        return _texts(self)

    def to_etree(self):
        """A new, genuine ElementTree tree with the same content."""
        return _to_etree(self.piece, self.slot)


def _children(Element parent):
    cdef uint32_t slot = _first_child(parent.piece, parent.slot)
    cdef uint32_t end = parent.slot + xf_element_at(parent.piece.tape, parent.slot).skip
    while slot < end:
        yield parent.child(slot)
        slot += xf_element_at(parent.piece.tape, slot).skip


def _descendants(Element top, str tag):
    cdef const xf_piece *piece = top.piece
    cdef uint32_t slot = top.slot, end = slot + xf_element_at(piece.tape, slot).skip
    while slot < end:
        if tag is None or _tag(piece, slot) == tag:
            yield top if slot == top.slot else top.child(slot)
        slot = _first_child(piece, slot)


@cython.wraparound(True)
def _texts(Element top):
    """Walk the elements in document order; a tail comes once everything inside has come."""
    cdef const xf_piece *piece = top.piece
    cdef uint32_t slot = top.slot, closed
    cdef list open_slots = []
    while True:
        while open_slots and slot >= (
            <uint32_t>open_slots[-1] + xf_element_at(piece.tape, open_slots[-1]).skip
        ):
            closed = open_slots.pop()
            if not open_slots:
                return
            text = _tail_of(piece, closed)
            if text is not None:
                yield text
        text = _text_of(piece, slot)
        if text is not None:
            yield text
        open_slots.append(slot)
        slot = _first_child(piece, slot)


cdef bint _same_tree(Element a, Element b):
    cdef uint32_t i = a.slot, j = b.slot
    cdef uint32_t end = i + xf_element_at(a.piece.tape, i).skip
    cdef uint32_t other_end = j + xf_element_at(b.piece.tape, j).skip
    # Trees are the same if, in document order, the same elements have children and the same ones
    # are last children.
    while i < end and j < other_end:
        if (
            _tag(a.piece, i) != _tag(b.piece, j)
            or _text_of(a.piece, i) != _text_of(b.piece, j)
            or _attributes(a.piece, i) != _attributes(b.piece, j)
        ):
            return False
        if i != a.slot and (
            _tail_of(a.piece, i) != _tail_of(b.piece, j)
            or _closes(a, i) != _closes(b, j)
            or _has_children(xf_element_at(a.piece.tape, i))
            != _has_children(xf_element_at(b.piece.tape, j))
        ):
            return False
        i = _first_child(a.piece, i)
        j = _first_child(b.piece, j)
    return i >= end and j >= other_end


cdef bint _closes(Element top, uint32_t slot):
    """Whether the element is its parent's last child."""
    cdef const xf_element *e = xf_element_at(top.piece.tape, slot)
    return slot + e.skip == e.parent + xf_element_at(top.piece.tape, e.parent).skip
