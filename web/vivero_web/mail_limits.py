"""How many mails may be asked for: we must not become the tool that fills somebody's mailbox.

Each function says against what one more mail counts, and as whose, for `Limiter.demand`.
"""

from typing import Final

from vivero_web.limiter import Limit
from vivero_web.tokens import digest

REFUSAL: Final = "Too many mails were asked for."
_HOUR: Final = 60 * 60

_TO_RECIPIENT: Final = Limit("mails-to", 3, _HOUR, REFUSAL)
"""People lose a mail or two."""
_BY_CALLER: Final = Limit("mails-by", 20, _HOUR, REFUSAL)
"""An office shares one address of the network."""
_INVITATIONS: Final = Limit("invitations", 100, 24 * _HOUR, REFUSAL)
"""A company that starts invites everybody in a day or two."""


def to_recipient(email: str) -> tuple[Limit, str]:
    """Counted for what was typed, whether anybody has that address or not; it does not stand in the cache."""
    return _TO_RECIPIENT, digest(email.strip().lower()).hex()


def by_caller(caller: str) -> tuple[Limit, str]:
    """What a stranger asks for from one place, as limits count them."""
    return _BY_CALLER, caller


def of_invitations() -> tuple[Limit, str]:
    """What a program's own people send out."""
    return _INVITATIONS, "all"
