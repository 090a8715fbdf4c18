# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule of the format, and an image that breaks this one and no other."""

import dataclasses
import typing

from ..program import DAMAGED
from .sample import Sample


@dataclasses.dataclass(frozen=True)
class Rule:
    name: str
    # What must be in the message, as a regular expression.
    words: str
    change: typing.Callable[[Sample], object] = lambda sample: None
    # Whether a reader may leave it to its verification.
    late: bool = False
    status: int = DAMAGED
    # For the writer of the sample.
    options: dict = dataclasses.field(default_factory=dict)

    def image(self, secret=None):
        sample = Sample(secret, **self.options)
        self.change(sample)
        return sample.bytes()
