"""What is refused, with which error, and where: docs/errors.md as a table.

In an input, `^` marks the place that the error points at, and is not part of it.
"""

from __future__ import annotations

import pytest
from streams import (
    HEADER,
    Fault,
    bytewise,
    error_definitions,
    every_split,
    fault,
    outline,
    place,
    read,
)

ERRORS = error_definitions()

# As short as can be: every input is cut at every offset.
S = b"<stream:stream xmlns:stream='u'>"
FOOTER = b"</stream:stream>"
XML = b"http://www.w3.org/XML/1998/namespace"
XMLNS = b"http://www.w3.org/2000/xmlns/"

# Bytes and characters.
BYTES = [
    ("NOT_UTF8", b"^\xff"),
    ("NOT_UTF8", b"<a>^\xfe"),
    ("NOT_UTF8", S + b"<a>^\x80"),
    ("NOT_UTF8", S + b"<a>\xc3\xa9^\xa9"),
    ("NOT_UTF8", S + b"<a>^\xc0\xaf"),
    ("NOT_UTF8", S + b"<a>^\xc1\xbf"),
    ("NOT_UTF8", S + b"<a>^\xe0\x9f\xbf"),
    ("NOT_UTF8", S + b"<a>^\xf0\x8f\xbf\xbf"),
    ("NOT_UTF8", S + b"<a>^\xed\xa0\x80"),
    ("NOT_UTF8", S + b"<a>^\xed\xbf\xbf"),
    ("NOT_UTF8", S + b"<a>^\xf4\x90\x80\x80"),
    ("NOT_UTF8", S + b"<a>^\xf5\x80\x80\x80"),
    ("NOT_UTF8", S + b"<a>^\xf8\x88\x80\x80\x80"),
    ("NOT_UTF8", S + b"<a>^\xc3</a>"),
    ("NOT_UTF8", S + b"<a>^\xe2\x82</a>"),
    ("NOT_UTF8", S + b"<a>^\xf0\x9f\x98</a>"),
    ("NOT_UTF8", S + b"<a>^\xf0\x9f\xc3\xa9</a>"),
    ("NOT_UTF8", S + b"<a^\xff/>"),
    ("NOT_UTF8", S + b"<a b='^\xff'/>"),
    ("NOT_UTF8", S + b"<a b='^\xc3'/>"),
    ("NOT_UTF8", S + b"<a b^\xff='c'/>"),
    ("NOT_UTF8", S + b"<a></a^\xff>"),
    ("NOT_UTF8", S + b"<a>&am^\xff;</a>"),
    ("NOT_UTF8", S + b"<a><![CDATA[^\xff]]></a>"),
    ("NOT_UTF8", S + b"<a><![CDATA[\xe2\x82\xac^\xe2]]></a>"),
    ("NOT_UTF8", S + b"^\xff"),
    ("NOT_UTF8", S + FOOTER + b"^\xff"),
    ("NOT_UTF8", b"<?xml version='1.0' ^\xff?><a/>"),
    # UTF-16 and UTF-32 without a byte order mark, either end first.
    ("NOT_UTF8", b"<^\0a\0/\0>\0"),
    ("NOT_UTF8", b"<^\0\0\0"),
    ("CHAR", b"^\0<\0a"),
    ("CHAR", b"^\0\0\0<"),
    ("NOT_UTF8", b"^\xff\xfe<\0"),
    ("NOT_UTF8", b"^\xfe\xff\0<"),
    ("CHAR", S + b"<a>^\x00</a>"),
    ("CHAR", S + b"<a>^\x01</a>"),
    ("CHAR", S + b"<a>^\x08</a>"),
    ("CHAR", S + b"<a>^\x0b</a>"),
    ("CHAR", S + b"<a>^\x0c</a>"),
    ("CHAR", S + b"<a>^\x0e</a>"),
    ("CHAR", S + b"<a>^\x1f</a>"),
    ("CHAR", S + b"<a>^\xef\xbf\xbe</a>"),
    ("CHAR", S + b"<a>^\xef\xbf\xbf</a>"),
    ("CHAR", S + b"<a b='^\x01'/>"),
    ("CHAR", S + b"<a b='^\xef\xbf\xbe'/>"),
    ("CHAR", S + b"<a^\x01/>"),
    ("CHAR", S + b"<a ^\x01/>"),
    ("CHAR", S + b"<^\x01"),
    ("CHAR", S + b"<a><![CDATA[^\x01]]></a>"),
    ("CHAR", S + b"<a>&^\x01;</a>"),
    ("CHAR", S + b"^\x01"),
    ("CHAR", S + b" ^\x0c "),
    ("CHAR", S + FOOTER + b"^\x00"),
    ("CHAR", b"^\x16\x03\x01"),
    ("CHAR", b" ^\x00<a/>"),
    ("CHAR", b"<a^\x00"),
    ("CHAR", b"<?xml version='1.0'^\x01?><a/>"),
]

DECLARATIONS = [
    ("ENCODING", b"^<?xml version='1.0' encoding='ISO-8859-1'?><a/>"),
    ("ENCODING", b"^<?xml version='1.0' encoding='UTF-16'?><a/>"),
    ("ENCODING", b"^<?xml version='1.0' encoding='UTF8'?><a/>"),
    ("ENCODING", b"^<?xml version='1.0' encoding='US-ASCII' standalone='yes'?><a/>"),
    ("XML_VERSION", b"^<?xml version='1.1'?><a/>"),
    ("XML_VERSION", b"^<?xml version='1.10'?><a/>"),
    ("XML_VERSION", b"^<?xml version='1.1' encoding='latin1'?><a/>"),
    ("XML_DECLARATION", b"^<?xml ?><a/>"),
    ("XML_DECLARATION", b"^<?xml version?><a/>"),
    ("XML_DECLARATION", b"^<?xml version=1.0?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0\"?><a/>"),
    ("XML_DECLARATION", b"^<?xml Version='1.0'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' version='1.0'?><a/>"),
    ("XML_DECLARATION", b"^<?xml encoding='UTF-8'?><a/>"),
    ("XML_DECLARATION", b"^<?xml encoding='UTF-8' version='1.0'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0'encoding='UTF-8'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' encoding='UTF-8'standalone='yes'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' standalone='maybe'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' standalone='Yes'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' standalone=''?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' encoding=''?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' standalone='yes' foo='bar'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0' ??><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.1' foo='bar'?><a/>"),
    ("XML_DECLARATION", b"^<?xml version='1.0'" + b" " * 300 + b"?><a/>"),
    ("XML_DECLARATION_PLACE", b" ^<?xml version='1.0'?><a/>"),
    ("XML_DECLARATION_PLACE", b"\n^<?xml version='1.0'?><a/>"),
    ("XML_DECLARATION_PLACE", b"<?xml version='1.0'?>^<?xml version='1.0'?><a/>"),
    ("XML_DECLARATION_PLACE", S + b"^<?xml version='1.0'?>"),
    ("XML_DECLARATION_PLACE", S + b"<a>^<?xml version='1.0'?></a>"),
    ("XML_DECLARATION_PLACE", S + FOOTER + b"^<?xml version='1.0'?>"),
    ("XML_DECLARATION_PLACE", S + b"<a>^<?xml?></a>"),
    ("XML_DECLARATION_PLACE", S + b"<a>^<?XmL x?></a>"),
    ("XML_DECLARATION_PLACE", b"^<?XML version='1.0'?><a/>"),
    ("XML_DECLARATION_PLACE", b"^<?xml?><a/>"),
]

RESTRICTED = [
    ("COMMENT", b"^<!-- --><a/>"),
    ("COMMENT", b"<?xml version='1.0'?>^<!-- --><a/>"),
    ("COMMENT", S + b"^<!-- -->"),
    ("COMMENT", S + b"<a>^<!-- --></a>"),
    ("COMMENT", S + b"<a>text^<!---->text</a>"),
    ("COMMENT", S + FOOTER + b"^<!-- -->"),
    ("INSTRUCTION", b"^<?php x?><a/>"),
    ("INSTRUCTION", b"^<?xml-stylesheet href='x'?><a/>"),
    ("INSTRUCTION", b"^<?xm ?><a/>"),
    ("INSTRUCTION", b"^<?xmlx ?><a/>"),
    ("INSTRUCTION", S + b"^<?x?>"),
    ("INSTRUCTION", S + b"<a>^<?XMLx?></a>"),
    ("INSTRUCTION", S + b"<a>^<?xm?></a>"),
    ("INSTRUCTION", S + b"<a>^<?\xc3\xa9 ?></a>"),
    ("INSTRUCTION", S + FOOTER + b"^<?x?>"),
    ("DOCTYPE", b"^<!DOCTYPE a><a/>"),
    ("DOCTYPE", b"<?xml version='1.0'?>\n^<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
    ("DOCTYPE", S + b"^<!DOCTYPE a>"),
    ("DOCTYPE", S + b"<a>^<!DOCTYPE a></a>"),
    ("DOCTYPE", S + FOOTER + b"^<!DOCTYPE a>"),
    ("ENTITY", S + b"<a>^&nbsp;</a>"),
    ("ENTITY", S + b"<a>&amp;^&AMP;</a>"),
    ("ENTITY", S + b"<a>^&ampx;</a>"),
    ("ENTITY", S + b"<a>^&am;</a>"),
    ("ENTITY", S + b"<a>^&\xc3\xa9;</a>"),
    ("ENTITY", S + b"<a b='^&foo;'/>"),
    ("ENTITY", b"<a b='^&foo;'>"),
    ("ENTITY", S + b"^&foo;"),
    ("ENTITY", S + b"<a/> \n^&foo;<b/>"),
    ("ENTITY", S + b"<a/>^&amp-;" + FOOTER),
]

MARKUP = [
    ("MARKUP", S + b"^<1/>"),
    ("MARKUP", S + b"^< a/>"),
    ("MARKUP", S + b"^<>"),
    ("MARKUP", S + b"^<=a/>"),
    ("MARKUP", S + b"^<<a/>"),
    ("MARKUP", S + b"^<-a/>"),
    ("MARKUP", S + b"^<.a/>"),
    ("MARKUP", S + b"^<\xcc\x81/>"),
    ("MARKUP", S + b"^<&amp;/>"),
    ("MARKUP", S + b"<a>^<1/></a>"),
    ("MARKUP", S + FOOTER + b"^<1/>"),
    ("MARKUP", b"^<1/>"),
    ("MARKUP", b"^</a>"),
    ("MARKUP", b" ^</ a>"),
    ("MARKUP", b"^<!a>"),
    ("MARKUP", S + b"^<!>"),
    ("MARKUP", S + b"^<!->"),
    ("MARKUP", S + b"^<!-x-->"),
    ("MARKUP", S + b"^<!ELEMENT a>"),
    ("MARKUP", S + b"^<!doctype a>"),
    ("MARKUP", S + b"^<!DOCTYPo a>"),
    ("MARKUP", S + b"<a>^<!ENTITY a 'b'></a>"),
    ("MARKUP", S + b"<a>^<![IGNORE[x]]></a>"),
    ("MARKUP", S + b"<a>^<![cdata[x]]></a>"),
    ("MARKUP", S + b"<a>^<![CDATA x]]></a>"),
    ("MARKUP", S + b"<a>^<![ CDATA[x]]></a>"),
    ("MARKUP", S + b"^<? x?>"),
    ("MARKUP", S + b"^<?1?>"),
    ("MARKUP", b"^<??>"),
]

TEXT = [
    ("TEXT_BEFORE_ROOT", b"^x"),
    ("TEXT_BEFORE_ROOT", b" \n^GET / HTTP/1.1\r\n"),
    ("TEXT_BEFORE_ROOT", b"<?xml version='1.0'?> ^x<a/>"),
    ("TEXT_BEFORE_ROOT", b"^&#32;<a/>"),
    ("TEXT_BEFORE_ROOT", b"^<![CDATA[ ]]><a/>"),
    ("TEXT_BEFORE_ROOT", b"^]]>"),
    # RFC 6120 section 11.6: U+FEFF is a character, and no byte order mark.
    ("TEXT_BEFORE_ROOT", b"^\xef\xbb\xbf<a/>"),
    ("TEXT_BEFORE_ROOT", b"^\xef\xbb\xbf<?xml version='1.0'?><a/>"),
    ("TEXT_IN_STREAM", S + b"^x"),
    ("TEXT_IN_STREAM", S + b"<a/> ^x<b/>"),
    ("TEXT_IN_STREAM", S + b"\n^\xc3\xa9"),
    ("TEXT_IN_STREAM", S + b"^\xc2\xa0"),
    ("TEXT_IN_STREAM", S + b"^&amp;"),
    ("TEXT_IN_STREAM", S + b"^&#32;"),
    ("TEXT_IN_STREAM", S + b"<a/>^<![CDATA[]]>"),
    ("TEXT_IN_STREAM", S + b"^]]>"),
    ("AFTER_ROOT", S + FOOTER + b"^x"),
    ("AFTER_ROOT", S + FOOTER + b" ^x"),
    ("AFTER_ROOT", S + FOOTER + b"^<a/>"),
    ("AFTER_ROOT", S + FOOTER + b" \n^<stream:stream>"),
    ("AFTER_ROOT", S + FOOTER + b"^</stream:stream>"),
    ("AFTER_ROOT", S + FOOTER + b"^&amp;"),
    ("AFTER_ROOT", S + FOOTER + b"^<![CDATA[]]>"),
    ("AFTER_ROOT", S + FOOTER + b"^\xef\xbb\xbf"),
    ("AFTER_ROOT", b"<a/>^x"),
    ("AFTER_ROOT", b"<a/>^<b/>"),
    ("AFTER_ROOT", b"<a/>^</a>"),
    ("CDATA_END", S + b"<a>^]]></a>"),
    ("CDATA_END", S + b"<a>x]^]]></a>"),
    ("CDATA_END", S + b"<a><b/>x^]]>x</a>"),
    ("CDATA_END", S + b"<a><![CDATA[x]]>^]]></a>"),
    ("CDATA_END", S + b"<a><![CDATA[]]]]>^]]></a>"),
    ("CDATA_END", S + b"<a>&#93;^]]></a>"),
]

REFERENCES = [
    (code, before + reference + after)
    for before, after in [
        (S + b"<a>", b"</a>"),
        (S + b"<a b='", b"'/>"),
        (S, b"<b/>"),
        (S + b"<a/>\n", b"&amp;"),
    ]
    for code, reference in [
        ("REFERENCE", b"^& y"),
        ("REFERENCE", b"^&;"),
        ("REFERENCE", b"^&&amp;"),
        ("REFERENCE", b"^&amp &lt;"),
        ("REFERENCE", b"^&amp"),
        ("REFERENCE", b"^&1;"),
        ("REFERENCE", b"^&-a;"),
        ("REFERENCE", b"^&a b;"),
        ("REFERENCE", b"^&#;"),
        ("REFERENCE", b"^&#a;"),
        ("REFERENCE", b"^&#x;"),
        ("REFERENCE", b"^&#X41;"),
        ("REFERENCE", b"^&#xg;"),
        ("REFERENCE", b"^&#4a;"),
        ("REFERENCE", b"^&#65 ;"),
        ("REFERENCE", b"^&# 65;"),
        ("REFERENCE", b"^&#-1;"),
        ("REFERENCE_CHAR", b"^&#0;"),
        ("REFERENCE_CHAR", b"^&#x0;"),
        ("REFERENCE_CHAR", b"^&#1;"),
        ("REFERENCE_CHAR", b"^&#8;"),
        ("REFERENCE_CHAR", b"^&#11;"),
        ("REFERENCE_CHAR", b"^&#x1f;"),
        ("REFERENCE_CHAR", b"^&#xD800;"),
        ("REFERENCE_CHAR", b"^&#xdfff;"),
        ("REFERENCE_CHAR", b"^&#xFFFE;"),
        ("REFERENCE_CHAR", b"^&#65535;"),
        ("REFERENCE_CHAR", b"^&#x110000;"),
        ("REFERENCE_CHAR", b"^&#1114112;"),
        ("REFERENCE_CHAR", b"^&#x100000041;"),
        ("REFERENCE_CHAR", b"^&#18446744073709551681;"),
        ("REFERENCE_CHAR", b"^&#" + b"9" * 400 + b";"),
    ]
]

TAGS = [
    ("LT_IN_VALUE", S + b"<a b='x^<'/>"),
    ("LT_IN_VALUE", S + b'<a b="^<"/>'),
    ("LT_IN_VALUE", b"<a b='^<'"),
    ("NAME", S + b"<^:a/>"),
    ("NAME", S + b"<^:/>"),
    ("NAME", S + b"<^a:/>"),
    ("NAME", S + b"<^a::b/>"),
    ("NAME", S + b"<^a:b:c/>"),
    ("NAME", S + b"<^a:1/>"),
    ("NAME", S + b"<^a:-b/>"),
    ("NAME", S + b"<^a: b='c'/>"),
    ("NAME", S + b"<a ^:b='c'/>"),
    ("NAME", S + b"<a ^b:='c'/>"),
    ("NAME", S + b"<a ^b:c:d='e'/>"),
    ("NAME", S + b"<a ^xmlns:='u'/>"),
    ("NAME", S + b"<a ^xmlns:1='u'/>"),
    ("NAME", S + b"<a ^xmlns:a:b='u'/>"),
    ("NAME", b"<^a:b:c >"),
    ("TAG", S + b"<a^=b/>"),
    ("TAG", S + b"<a^'/>"),
    ("TAG", S + b"<a^<b/>"),
    ("TAG", S + b"<a^&/>"),
    ("TAG", S + b"<a/^ >"),
    ("TAG", S + b"<a/^b>"),
    ("TAG", S + b"<a /^/>"),
    ("TAG", S + b"<a ^='b'/>"),
    ("TAG", S + b"<a ^1='b'/>"),
    ("TAG", S + b"<a ^<"),
    ("TAG", S + b"<a b^>"),
    ("TAG", S + b"<a b^/>"),
    ("TAG", S + b"<a b ^c='d'/>"),
    ("TAG", S + b"<a b=^c/>"),
    ("TAG", S + b"<a b= ^>"),
    ("TAG", S + b"<a b=^='c'/>"),
    ("TAG", S + b"<a b='c'^d='e'/>"),
    ("TAG", S + b"<a b='c'^'d'/>"),
    ("TAG", S + b"<a b='c' ^'d'/>"),
    ("TAG", S + b"<a b='c' /^ >"),
    ("TAG", S + b"<a></a ^b>"),
    ("TAG", S + b"<a></a ^/>"),
    ("TAG", S + b"<a></a ^<"),
    ("MISMATCH", S + b"<a>^</b>"),
    ("MISMATCH", S + b"<a>^</aa>"),
    ("MISMATCH", S + b"<aa>^</a>"),
    ("MISMATCH", S + b"<a>^</A>"),
    ("MISMATCH", S + b"<a>^</ a>"),
    ("MISMATCH", S + b"<a>^</>"),
    ("MISMATCH", S + b"<a>^</a/>"),
    ("MISMATCH", S + b"<a>^</a<b/>"),
    ("MISMATCH", S + b"<a>^</a:a>"),
    ("MISMATCH", S + b"<a><b>^</a></b>"),
    ("MISMATCH", S + b"<a><b></b>^</b></a>"),
    ("MISMATCH", S + b"<p:a xmlns:p='u' xmlns:q='u'>^</q:a>"),
    ("MISMATCH", S + b"<p:a xmlns:p='u'>^</a>"),
    ("MISMATCH", S + b"<\xc3\xa9>^</\xc3\xa8>"),
    ("MISMATCH", S + b"^</a>"),
    ("MISMATCH", S + b"^</stream>"),
    ("MISMATCH", S + b"<a/>^</a>"),
    ("MISMATCH", S + b"^</stream:streams>"),
]

NAMESPACES = [
    ("DUPLICATE", S + b"<a b='' ^b=''/>"),
    ("DUPLICATE", S + b"<a b='1' c='2' ^b='3'/>"),
    ("DUPLICATE", S + b"<a xml:lang='' ^xml:lang=''/>"),
    ("DUPLICATE", S + b"<a xmlns='u' ^xmlns='u'/>"),
    ("DUPLICATE", S + b"<a xmlns:p='u' ^xmlns:p='v'/>"),
    ("DUPLICATE", S + b"<a xmlns:p='u' xmlns:q='u' p:x='' ^q:x=''/>"),
    ("DUPLICATE", S + b"<a p:x='' ^q:x='' xmlns:p='u' xmlns:q='u'/>"),
    ("DUPLICATE", S + b"<a xmlns:p='u' xmlns:q='&#117;' p:x='' ^q:x=''/>"),
    ("DUPLICATE", S + b"<a xmlns:p='&amp;' xmlns:q='&#38;' p:x='' ^q:x=''/>"),
    ("DUPLICATE", S + b"<a xmlns:p='a b' xmlns:q='a\tb' p:x='' ^q:x=''/>"),
    ("DUPLICATE", S + b"<a xmlns:p='u'><b xmlns:q='u' p:x='' ^q:x=''/></a>"),
    ("DUPLICATE", b"<a b='' ^b=''>"),
    (
        "DUPLICATE",
        S + b"<a " + b" ".join(b"a%d=''" % i for i in range(100)) + b" ^a0=''/>",
    ),
    (
        "DUPLICATE",
        S
        + b"<a xmlns:p='u' xmlns:q='u' p:b='' "
        + b" ".join(b"a%d=''" % i for i in range(100))
        + b" ^q:b=''/>",
    ),
    ("PREFIX", S + b"<^p:a/>"),
    ("PREFIX", S + b"<^p:a>"),
    ("PREFIX", S + b"<a ^p:b='c'/>"),
    ("PREFIX", S + b"<a><^p:b/></a>"),
    ("PREFIX", S + b"<a xmlns:p='u'/><^p:b/>"),
    ("PREFIX", S + b"<a><b xmlns:p='u'/><^p:c/></a>"),
    ("PREFIX", S + b"<a xmlns:p='u'><b ^P:c=''/></a>"),
    ("PREFIX", S + b"<^xmln:a/>"),
    ("PREFIX", S + b"<^XML:a/>"),
    ("PREFIX", b"<^stream:stream xmlns='jabber:client'>"),
    ("NAMESPACE", S + b"<a ^xmlns:xml='u'/>"),
    ("NAMESPACE", S + b"<a ^xmlns:xml=''/>"),
    ("NAMESPACE", S + b"<a ^xmlns:xmlns='u'/>"),
    ("NAMESPACE", S + b"<a ^xmlns:xmlns='%s'/>" % XMLNS),
    ("NAMESPACE", S + b"<a ^xmlns:p='%s'/>" % XMLNS),
    ("NAMESPACE", S + b"<a ^xmlns:p='%s'/>" % XML),
    ("NAMESPACE", S + b"<a ^xmlns='%s'/>" % XML),
    ("NAMESPACE", S + b"<a ^xmlns='%s'/>" % XMLNS),
    ("NAMESPACE", S + b"<a ^xmlns:p='%s'/>" % XML.replace(b"c", b"&#99;")),
    ("NAMESPACE", S + b"<a ^xmlns='%s'/>" % XMLNS.replace(b"x", b"&#x78;")),
    ("NAMESPACE", S + b"<^xmlns:a/>"),
    ("NAMESPACE", b"<a ^xmlns:p='%s'>" % XML),
    ("NAMESPACE_EMPTY", S + b"<a ^xmlns:p=''/>"),
    ("NAMESPACE_EMPTY", S + b"<a xmlns:p='u'><b ^xmlns:p=''/></a>"),
    ("NAMESPACE_EMPTY", b"<a ^xmlns:p=''>"),
]

ENDS = [
    ("UNFINISHED", b"<^"),
    ("UNFINISHED", b"<?xm^"),
    ("UNFINISHED", b"<?xml version='1.0'^"),
    ("UNFINISHED", b"<a^"),
    ("UNFINISHED", b"<a b='c'^"),
    ("UNFINISHED", b"<a/^"),
    ("UNFINISHED", S + b"<^"),
    ("UNFINISHED", S + b"<!-^"),
    ("UNFINISHED", S + b"<!DOCTYP^"),
    ("UNFINISHED", S + b"<?xml^"),
    ("UNFINISHED", S + b"<a^"),
    ("UNFINISHED", S + b"<a b = '^"),
    ("UNFINISHED", S + b"<a>^"),
    ("UNFINISHED", S + b"<a>text\r^"),
    ("UNFINISHED", S + b"<a>]]^"),
    ("UNFINISHED", S + b"<a>&am^"),
    ("UNFINISHED", S + b"<a>&#6^"),
    ("UNFINISHED", S + b"&am^"),
    ("UNFINISHED", S + b"<a/> &#3^"),
    ("UNFINISHED", S + b"<a>\xe2\x82^"),
    ("UNFINISHED", S + b"<a b='\xe2\x82^"),
    ("UNFINISHED", S + b"<a><![CDATA[x]]^"),
    ("UNFINISHED", S + b"<a><b></b></a^"),
    ("UNFINISHED", S + b"</stream:stream^"),
]

# Which of two errors wins.
ORDER = [
    # What comes before a bad byte is still read, and an error in that wins.
    ("MISMATCH", S + b"<a>^</b>\xff"),
    ("TAG", S + b"<a b^>\xff</a>"),
    ("ENTITY", S + b"<a>^&x;\xff</a>"),
    ("NOT_UTF8", S + b"<a>&x^\xff;</a>"),
    ("NOT_UTF8", S + b"<a b='' b=''^\xff/>"),
    ("NOT_UTF8", S + b"<p:a^\xff/>"),
    ("NOT_UTF8", S + b"<a:b:c^\xff/>"),
    ("NOT_UTF8", S + b"<!^\xff"),
    ("CHAR", S + b"<a>]]^\x00"),
    ("COMMENT", b"^<!--\xff"),
    ("DOCTYPE", b"^<!DOCTYPE\x00"),
    # Between stanzas, the first thing that stands there; a reference is read first.
    ("TEXT_IN_STREAM", S + b"^x&foo;"),
    ("TEXT_IN_STREAM", S + b"^&amp;&foo;"),
    ("ENTITY", S + b"^&foo;x"),
    ("NOT_UTF8", S + b"&am^\xff;"),
    # In a tag, what is read first comes first; what needs the whole tag comes last.
    ("NAME", S + b"<^a:b:c b='<'/>"),
    ("NAME", S + b"<^a:b:c=/>"),
    ("LT_IN_VALUE", S + b"<a b='' b='^<'/>"),
    ("TAG", S + b"<p:a b='c'^d='e'/>"),
    ("TAG", S + b"<a b='' b=''^c/>"),
    ("ENTITY", S + b"<a b='^&x;' b=''c/>"),
    ("REFERENCE", S + b"<a b='^& &x;'/>"),
    ("ENTITY", S + b"<a b='^&x;& '/>"),
    # Then declarations, the element's prefix, and the attributes in document order.
    ("NAMESPACE_EMPTY", S + b"<p:a b='' b='' ^xmlns:p=''/>"),
    ("NAMESPACE", S + b"<p:a ^xmlns:xml='u' xmlns:q=''/>"),
    ("NAMESPACE_EMPTY", S + b"<p:a ^xmlns:q='' xmlns:xml='u'/>"),
    ("PREFIX", S + b"<^p:a b='' b=''/>"),
    ("NAMESPACE", S + b"<^xmlns:a b='' b=''/>"),
    ("PREFIX", S + b"<a ^p:b='' b='' b=''/>"),
    ("DUPLICATE", S + b"<a b='' ^b='' p:b=''/>"),
    ("PREFIX", S + b"<a xmlns='u' ^p:b='' xmlns='u'/>"),
    ("NAMESPACE", S + b"<a xmlns='u' ^xmlns='%s'/>" % XML),
    # The end tag's name before what follows it.
    ("MISMATCH", S + b"<a>^</b c>"),
]

CASES = [
    *BYTES,
    *DECLARATIONS,
    *RESTRICTED,
    *MARKUP,
    *TEXT,
    *REFERENCES,
    *TAGS,
    *NAMESPACES,
    *ENDS,
    *ORDER,
]

# Read by `parse`: one element.
PARSE_CASES = [
    ("NO_ELEMENT", b"^"),
    ("NO_ELEMENT", b" \r\n ^"),
    ("NO_ELEMENT", b"<?xml version='1.0'?>^"),
    ("NO_ELEMENT", b"<?xml version='1.0'?>\n^"),
    ("UNFINISHED", b"<^"),
    ("UNFINISHED", b"<a^"),
    ("UNFINISHED", b"<a>^"),
    ("UNFINISHED", b"<a><b/>^"),
    ("UNFINISHED", b"<a></a^"),
    ("UNFINISHED", b"<?xml version='1.0'?^"),
    ("TEXT_BEFORE_ROOT", b"^x<a/>"),
    ("TEXT_BEFORE_ROOT", b"^\xef\xbb\xbf<a/>"),
    ("AFTER_ROOT", b"<a/>^x"),
    ("AFTER_ROOT", b"<a/> ^<b/>"),
    ("AFTER_ROOT", b"<a></a>^</a>"),
    ("COMMENT", b"^<!-- --><a/>"),
    ("COMMENT", b"<a>^<!-- --></a>"),
    ("COMMENT", b"<a/>^<!-- -->"),
    ("INSTRUCTION", b"<a/>^<?x?>"),
    ("DOCTYPE", b"^<!DOCTYPE a><a/>"),
    ("XML_DECLARATION_PLACE", b" ^<?xml version='1.0'?><a/>"),
    ("ENCODING", b"^<?xml version='1.0' encoding='latin1'?><a/>"),
    ("NOT_UTF8", b"<a>^\xff</a>"),
    ("NOT_UTF8", b"<a/>^\xff"),
    ("NOT_UTF8", b"<^\0a\0"),
    ("CHAR", b"<a/>^\0"),
    ("MISMATCH", b"<a>^</b>"),
    ("PREFIX", b"<^p:a/>"),
    ("DUPLICATE", b"<a b='' ^b=''/>"),
    ("ENTITY", b"<a b='^&x;'/>"),
    ("CDATA_END", b"<a>^]]></a>"),
]


def expected(code: str, marked: bytes) -> tuple[bytes, Fault]:
    """Input and fault of a case."""
    before, after = marked.split(b"^")
    condition, text = ERRORS[code]
    data = before + after
    return data, Fault(condition, text, len(before), *place(data, len(before)))


def names(cases):
    """Readable ids."""
    return [f"{code}-{marked.removeprefix(S)[:40]!r}" for code, marked in cases]


@pytest.mark.parametrize(("code", "marked"), CASES, ids=names(CASES))
def test_errors_of_a_stream(xml, code, marked):
    data, fault = expected(code, marked)
    whole = read(xml, [data], see=outline)
    assert whole.fault == fault
    assert read(xml, bytewise(data), see=outline) == whole
    for chunks in every_split(data):
        assert read(xml, chunks, see=outline) == whole


@pytest.mark.parametrize(("code", "marked"), PARSE_CASES, ids=names(PARSE_CASES))
def test_errors_of_parse(xml, code, marked):
    data, wanted = expected(code, marked)
    with pytest.raises(xml.StreamError) as caught:
        xml.parse(data)
    assert fault(caught.value) == wanted


# Those whose last construct is complete, so that nothing behind it can make it another.
COMPLETE = [case for case in CASES if case[1].endswith((b">", b";"))]


@pytest.mark.parametrize(("code", "marked"), COMPLETE, ids=names(COMPLETE))
def test_what_follows_changes_nothing(xml, code, marked):
    data, fault = expected(code, marked)
    for rest in (b"\xff", b"<a b='c'>", b"-->", b"?><a/>", b"]]>", b"\0", b" "):
        assert read(xml, [data + rest], see=outline).fault == fault
        assert read(xml, [data, rest], see=outline).fault == fault


@pytest.mark.parametrize(("code", "marked"), CASES, ids=names(CASES))
def test_a_shorter_input_has_that_error_or_is_unfinished(xml, code, marked):
    data, fault = expected(code, marked)
    for end in range(len(S) if data.startswith(S) else 0, len(data)):
        shorter = read(xml, [data[:end]], see=outline).fault
        if shorter is not None and shorter != fault:
            assert (shorter.text, shorter.offset) == (ERRORS["UNFINISHED"][1], end)


def test_every_error_has_a_case():
    reached = {code for code, _ in CASES + PARSE_CASES}
    limits = {
        code
        for code, (condition, text) in ERRORS.items()
        if condition == "policy-violation" and text.startswith("limit on ")
    }
    assert len(limits) == 6
    assert set(ERRORS) == reached | limits


def test_every_condition_is_one_of_rfc_6120(xml):
    known = {condition.value for condition in xml.StreamCondition}
    assert {condition for condition, _ in ERRORS.values()} <= known


def test_a_stream_begins_anew_after_restart(xml):
    """UTF-16 and the XML declaration are looked for at every stream's first bytes."""
    before = b"<a><b/>"
    for rest, code, at in [
        (b"<\0", "NOT_UTF8", 1),
        (b"\0<", "CHAR", 0),
        (b"\n<a/><?xml version='1.0'?>", "XML_DECLARATION_PLACE", 5),
        (b"x", "TEXT_BEFORE_ROOT", 0),
        (b"</a>", "MARKUP", 0),
    ]:
        data = before + rest
        for chunks in ([data], bytewise(data)):
            found = read(xml, chunks, restart_after=(2,), see=outline).fault
            assert (found.condition, found.text) == ERRORS[code]
            assert found.offset == len(before) + at


def test_white_space_after_restart_belongs_to_the_stream_before(xml):
    """Some clients end their last stanza before a restart with a line feed."""
    data = b"<a><b/>\r\n <?xml version='1.0'?><c d='1'><e/>"
    for chunks in ([data], bytewise(data)):
        found = read(xml, chunks, restart_after=(2,))
        assert found.fault is None
        assert [event[1] for event in found.events] == [
            b"<a>",
            b"<b/>",
            b"<?xml version='1.0'?><c d='1'>",
            b"<e/>",
        ]


def test_an_xml_declaration_of_256_bytes(xml):
    declaration = b"<?xml version='1.0'" + b" " * 235 + b"?>"
    assert len(declaration) == 256
    assert read(xml, [declaration + b"<a>"]).fault is None
    assert read(xml, bytewise(declaration + b"<a>")).fault is None
    longer = declaration.replace(b"?>", b" ?>")
    for chunks in ([longer + b"<a>"], bytewise(longer + b"<a>")):
        found = read(xml, chunks).fault
        assert (found.condition, found.text) == ERRORS["XML_DECLARATION"]
        assert found.offset == 0


@pytest.mark.parametrize(
    "data",
    [
        b"<a",
        b"<a" + b" " * 400,
        b"<a b='" + b"c" * 400,
        b"<a>" + b"t" * 400,
        b"<!-",
        b"<a>&" + b"a" * 400,
        b"<a>&#" + b"0" * 400,
    ],
)
def test_nothing_is_refused_early(xml, data):
    found = read(xml, [HEADER + data]).fault
    assert found.text == ERRORS["UNFINISHED"][1]
