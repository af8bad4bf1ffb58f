# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: always_allow_keywords=True, embedsignature=False
"""The compiled backend: Python's view of src_c/.

A stanza is one block of memory: xf_piece, tape, bytes. `Stanza` owns it, an `Element` inside keeps
its stanza, a stanza keeps its stream header; nothing points the other way, so nothing here needs
the garbage collector's cyclic part.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.number cimport PyNumber_AsSsize_t
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

from collections import deque
from types import MappingProxyType

from .errors import StreamCondition, StreamError
from .limits import Limits


cdef extern from "Python.h":
    ctypedef void (*destructor)(PyObject *) noexcept
    ctypedef struct PyTypeObject:
        destructor tp_dealloc
    ctypedef void (*PyCFunction)()
    ctypedef struct PyMethodDef:
        PyCFunction ml_meth
    ctypedef struct PyMethodDescrObject:
        PyMethodDef *d_method
    Py_ssize_t PyTuple_GET_SIZE(PyObject *)
    PyObject *PyTuple_GET_ITEM(PyObject *, Py_ssize_t)
    str PyUnicode_New(Py_ssize_t, Py_UCS4)
    void *PyUnicode_DATA(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    int PyUnicode_KIND(object)


# What modules share between threads, the GIL protects; without it, they share less.
cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define XF_SHARED_CACHE 0
    #else
    #define XF_SHARED_CACHE 1
    #endif
    """
    bint XF_SHARED_CACHE


# One module, so that its parts call each other without a detour.
include "_memory.pxi"
include "_text.pxi"
include "_attributes.pxi"
include "_elements.pxi"
include "_paths.pxi"
include "_trees.pxi"
include "_stanzas.pxi"
include "_forward.pxi"
include "_parser.pxi"
include "_offered.pxi"
