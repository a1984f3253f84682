"""What `./vivero status` says about one part of the platform."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a part works, with a sentence: what it serves, or what is wrong."""

    component: str
    ok: bool
    message: str
