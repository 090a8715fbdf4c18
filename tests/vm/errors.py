# SPDX-License-Identifier: GPL-2.0-or-later
"""What callers have to tell apart from a failure."""


class Unavailable(Exception):
    """This computer lacks something that a VM needs: whatever needs it is skipped."""
