"""How many names there are, and one hash that stands for all of them: what a receipt can say without naming anybody. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Of a list of names."""

    count: int
    sha256: str
    """Of the names in the order in which they came, a line feed after each."""


def tally(names: Iterable[str]) -> Tally:
    """Names in the order of their bytes."""
    digest, count = hashlib.sha256(), 0
    for name in names:
        digest.update(name.encode() + b"\n")
        count += 1
    return Tally(count, digest.hexdigest())
