# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the image engine share: the program, places to work in, and judges."""
