"""Measurements of xmppfast: ratios, taken side by side, and the bars they are held to."""
