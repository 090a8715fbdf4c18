# SPDX-License-Identifier: GPL-2.0-or-later
"""
An independent reader and writer of images, after Documentation/image-format.rst alone: they share
nothing with the program, so that what is wrong or missing in either of them is found.
"""
