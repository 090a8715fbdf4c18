# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests of the image engine: the program, directories to work in, and judges."""
