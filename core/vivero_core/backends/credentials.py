"""A login whose secret half never shows in a repr, hence in no log and no traceback."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user (or access key) and its secret."""

    name: str
    secret: str = field(repr=False)
