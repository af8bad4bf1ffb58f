"""`python -m xmppfast` is the command `xmppfast`."""

import sys

from .cli import main

sys.exit(main())
