# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command line tools have in common."""

import signal
import sys

from .errors import Unavailable


def run(name, main):
    """Calls main() and exits with the status that it returns; 77 if no VM can be had here.

    SIGTERM and SIGINT raise an exception, so that temporary files are removed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Unavailable as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(77)
    except KeyboardInterrupt:
        sys.exit(130)
