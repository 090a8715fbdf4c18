# SPDX-License-Identifier: GPL-2.0-or-later
"""Which part of an area belongs to whom: no two things may share a byte, or a block."""


class BadImage(Exception):
    """A rule of the format that an image breaks."""


def require(condition, rule, *values):
    if not condition:
        raise BadImage(rule % values if values else rule)


class Claims:
    def __init__(self, start, end, what):
        self.start, self.end, self.what, self.parts = start, end, what, []

    def claim(self, start, length, whose):
        require(self.start <= start and start + length <= self.end,
                "%s: %d bytes at %d are not within the %s", whose, length, start, self.what)
        if length:
            self.parts.append((start, start + length, whose))

    def gaps(self):
        """(start, end) of what belongs to nothing; refuses what belongs to two."""
        at, before = self.start, "?"
        for start, end, whose in sorted(self.parts, key=lambda part: part[:2]):
            require(start >= at, "%s and %s overlap in the %s", before, whose, self.what)
            if start > at:
                yield at, start
            at, before = end, whose
        if at < self.end:
            yield at, self.end
