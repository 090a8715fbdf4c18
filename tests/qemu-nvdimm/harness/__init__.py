# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs guest scripts in a VM with persistent memory, on stock Debian kernels, across kexec."""
