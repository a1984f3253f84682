"""The health of one part of the platform, for `./vivero status`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a part works, with a sentence: what it serves, or what is wrong."""

    component: str
    ok: bool
    message: str
