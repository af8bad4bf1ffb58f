"""Extensions of XMPP (XEPs), one file each: features, and where a client needs one, its side."""
