# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""slixmpp's `tostring`, compiled: the same characters for everything, without recursion."""

cimport cython
from cpython.dict cimport PyDict_Next
from cpython.mem cimport PyMem_RawFree
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeUTF8

from xmppfast.xml cimport _writer
from xmppfast.xml._writer cimport (
    ANYWHERE,
    Frame,
    Frames,
    Output,
    _exact,
    _grow,
    _learn_elementtree,
    _put,
    _put_bytes,
    _put_str,
    _put_text,
    begin_frames,
    free_frames,
    innermost,
    pop,
    push,
    put_end_tag,
    xf_get,
)


cdef extern from "Python.h":
    object PySequence_GetItem(object, Py_ssize_t)


cdef str XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


# What versions of slixmpp do differently, as `imitate` saw it.
cdef int _times_prefixed = 1  # how often a mapped prefix stands before a name
cdef bint _declares_none = False  # an element without namespace below one with: xmlns=""
cdef bint _declares_prefixed = False  # a name with a mapped prefix has its namespace beside it


# Names. -------------------------------------------------------------------------------------------


@cython.final
cdef class _Tag:
    """A Clark name taken apart as slixmpp does; `ns` is "" outside any namespace."""

    cdef str ns
    cdef bytes local
    cdef bytes declaration  # of the namespace as the default one


@cython.final
cdef class _Attribute:
    cdef str ns, local
    cdef bytes start  # as written up to its value, if that is always the same


# Names come again and again. The limit only keeps a program that makes them up from filling memory.
cdef dict _tags = {}
cdef dict _attributes = {}
cdef enum:
    MOST_NAMES = 4096


cdef bytes _utf8(str text):
    return text.encode("utf-8", "surrogatepass")


cdef int _remember(dict names, object key, object name) except -1:
    if len(names) >= MOST_NAMES:
        names.clear()
    names[key] = name
    return 0


cdef _Tag _new_tag(str whole):
    cdef _Tag tag = _Tag.__new__(_Tag)
    ns, brace, local = whole.partition("}")
    tag.ns = ns[1:] if brace else ""
    tag.local = _utf8(local if brace else whole)
    tag.declaration = _utf8(f' xmlns="{tag.ns}"')
    _remember(_tags, whole, tag)
    return tag


cdef inline _Tag _tag(object whole):
    known = _tags.get(whole) if type(whole) is str else None
    return _new_tag(_exact(whole)) if known is None else <_Tag>known


cdef _Attribute _new_attribute(str whole):
    cdef _Attribute name = _Attribute.__new__(_Attribute)
    ns, *locals_ = whole.split("}")
    if locals_:
        name.ns = ns[1:]
        name.local = locals_[0]
        if name.ns == XML_NAMESPACE:
            name.start = _utf8(f' xml:{name.local}="')
    else:
        name.start = _utf8(f' {whole}="')
    _remember(_attributes, whole, name)
    return name


cdef inline _Attribute _attribute(object whole):
    known = _attributes.get(whole) if type(whole) is str else None
    return _new_attribute(_exact(whole)) if known is None else <_Attribute>known


# Escaping. ----------------------------------------------------------------------------------------


cdef str _cdata(str text):
    """Text as CDATA sections, if anything in it needs escaping."""
    for special in "&<>'\"":
        if special in text:
            parts = [f"<![CDATA[{part}]]>" for part in text.split("]]>")]
            return "<![CDATA[]]]><![CDATA[]>]]>".join(parts)
    return text


# Trees. -------------------------------------------------------------------------------------------


@cython.no_gc
@cython.final
@cython.freelist(4)
cdef class _Tree:
    """One run of tostring."""

    cdef Output out
    cdef Frames open  # with the namespaces of attributes that they declare prefixes for
    cdef object prefixes  # the stream's namespace_map, or None
    cdef object default_ns, stream_ns, outer_ns
    cdef object namespaces  # those of attributes with a prefix in scope, or None
    cdef bint cdata

    def __cinit__(self):
        begin_frames(&self.open)

    def __dealloc__(self):
        free_frames(&self.open)
        PyMem_RawFree(self.out.bytes)

    cdef inline str prefix(self, str ns):
        """The stream's prefix for a namespace, or None."""
        if self.prefixes is None:
            return None
        if type(self.prefixes) is dict:
            mapped = (<dict>self.prefixes).get(ns)
        else:
            mapped = self.prefixes[ns] if ns in self.prefixes else None
        return f"{mapped}" if mapped else None

    cdef int put_text(self, object text, str where) except -1:
        if not isinstance(text, str):
            if not isinstance(text, (tuple, list)):
                raise TypeError(f"{where} must be a str, not {type(text).__name__}")
            text = "".join(text)  # slixmpp gives the `args` of exceptions as a text
        if self.cdata:
            return _put_str(&self.out, _cdata(_exact(text)))
        return _put_text(&self.out, _exact(text), ANYWHERE, None)

    cdef list put_attributes(self, dict attributes):
        """Write attributes; returns the namespaces newly declared for them, or None."""
        cdef list declared = None
        cdef PyObject *key
        cdef PyObject *value
        cdef Py_ssize_t place = 0
        cdef _Attribute name
        cdef str prefix
        while PyDict_Next(attributes, &place, &key, &value):
            name = _attribute(<object>key)
            if name.start is not None:
                _put_bytes(&self.out, name.start)
            else:
                prefix = self.prefix(name.ns)
                if not prefix:
                    continue
                if self.namespaces is None:
                    self.namespaces = set()
                if name.ns not in self.namespaces:
                    self.namespaces.add(name.ns)
                    if declared is None:
                        declared = []
                    declared.append(name.ns)
                    _put_str(&self.out, f' xmlns:{prefix}="{name.ns}"')
                _put_str(&self.out, f' {prefix}:{name.local}="')
            self.put_text(<object>value, "an attribute's value")
            _put(&self.out, b'"', 1)
        return declared

    cdef bint declares(self, str ns, object outer, bint top) except -1:
        """Whether an element in `ns` says so, where `outer` is the default namespace."""
        if top:
            return ns != "" and ns != self.default_ns and ns != outer and ns != self.stream_ns
        return ns is not outer and ns != outer and (ns != "" or _declares_none)

    cdef int start(self, object element, object outer, bint top, bint open_only) except -1:
        """Write a start tag and the text behind it; leave the element open if it has children."""
        cdef bint exact = type(element) is _writer._ElementType
        cdef _Tag tag = _tag(xf_get(_writer._tag_getter, element) if exact else element.tag)
        cdef object attributes = (
            xf_get(_writer._attrib_getter, element) if exact else element.attrib
        )
        cdef bint declare = self.declares(tag.ns, outer, top)
        cdef str prefix = self.prefix(tag.ns)
        cdef list declared = None
        cdef Py_ssize_t children
        cdef size_t at, length
        cdef int i
        _put(&self.out, b"<", 1)
        at = self.out.used
        if prefix:
            for i in range(_times_prefixed):
                _put_str(&self.out, prefix)
                _put(&self.out, b":", 1)
            declare = declare or _declares_prefixed
        _put_bytes(&self.out, tag.local)
        length = self.out.used - at
        if declare:
            _put_bytes(&self.out, tag.declaration)
        if type(attributes) is not dict:
            attributes = dict(attributes.items())
        if attributes:
            declared = self.put_attributes(<dict>attributes)
        if open_only:
            return _put(&self.out, b">", 1)
        text = xf_get(_writer._text_getter, element) if exact else element.text
        children = len(element)
        if children == 0 and not text:
            _put(&self.out, b" />", 3)
            return self.leave(element, declared)
        _put(&self.out, b">", 1)
        if text:
            self.put_text(text, "text")
        if children:
            return push(&self.open, element, tag.ns, declared, at, length)
        put_end_tag(&self.out, at, length)
        return self.leave(element, declared)

    cdef int leave(self, object element, list declared) except -1:
        """Write what follows an element."""
        cdef bint exact = type(element) is _writer._ElementType
        tail = xf_get(_writer._tail_getter, element) if exact else element.tail
        if tail:
            self.put_text(tail, "a tail")
        if declared is not None:
            for ns in declared:
                self.namespaces.remove(ns)
        return 0

    cdef int write_inside(self) except -1:
        """Write what is inside of the element that start left open, if it did, and its end."""
        cdef Frame *frame
        while self.open.depth:
            frame = innermost(&self.open)
            element = <object>frame.children
            if frame.child < len(element):
                child = PySequence_GetItem(element, frame.child)
                frame.child += 1
                self.start(child, <object>frame.namespace, False, False)
                continue
            declared = <object>frame.declared
            put_end_tag(&self.out, frame.name, frame.name_length)
            pop(&self.open)
            self.leave(element, declared)
        return 0


def tostring(
    xml=None, xmlns="", stream=None, str outbuffer not None="", bint top_level=False,
    bint open_only=False, namespaces=None,
):
    """Serialize an XML object to a string; see `slixmpp.xmlstream.tostring.tostring`."""
    cdef _Tree tree
    if xml is None:
        return ""
    if _writer._ElementType is None:
        _learn_elementtree()
    tree = _Tree.__new__(_Tree)
    _grow(&tree.out, 1024)
    if stream:
        tree.default_ns = stream.default_ns
        tree.stream_ns = stream.stream_ns
        tree.cdata = stream.use_cdata
        tree.prefixes = stream.namespace_map
    else:
        tree.default_ns = tree.stream_ns = ""
    tree.namespaces = namespaces
    tree.start(xml, xmlns, top_level, open_only)
    tree.write_inside()
    written = PyUnicode_DecodeUTF8(tree.out.bytes, tree.out.used, b"surrogatepass")
    return outbuffer + written if outbuffer else written


class _Probe:
    """As much of a stream as slixmpp's tostring looks at."""

    default_ns = stream_ns = ""
    use_cdata = False
    namespace_map = {"urn:a": "p"}


def imitate(stock):
    """Do from now on as this `tostring` of slixmpp does; its versions differ.

    Raises ValueError for one that writes what no known version does.
    """
    global _times_prefixed, _declares_none, _declares_prefixed
    from xml.etree.ElementTree import Element, SubElement

    mapped = Element("{urn:a}x")
    outer = Element("{urn:a}x")
    SubElement(outer, "y")
    written = stock(mapped, "urn:a", _Probe()), stock(outer, "urn:a")
    if written == ("<p:x />", "<x><y /></x>"):
        _times_prefixed, _declares_none, _declares_prefixed = 1, False, False
    elif written == ('<p:p:x xmlns="urn:a" />', '<x><y xmlns="" /></x>'):
        _times_prefixed, _declares_none, _declares_prefixed = 2, True, True
    else:
        raise ValueError(f"this version of slixmpp writes elements in an unknown way: {written}")
