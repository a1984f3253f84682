"""When two e-mail addresses are one person's mailbox: a decision, no I/O. ADR 0028."""

from typing import Final

_DOTLESS: Final = frozenset({"gmail.com"})
"""Providers that deliver `a.b@` and `ab@` to the same person."""
_SAME_PROVIDER: Final = {"googlemail.com": "gmail.com"}


def mailbox(email: str) -> str:
    """The same for every spelling of an address that reaches one mailbox, as far as is widely known.

    Case never tells two people apart in practice; what follows a `+` is the owner's own tag with all large providers.
    Two people whom a provider of its own kind tells apart by a tag share a bound, and nothing else.
    """
    local, _, domain = email.lower().rpartition("@")
    domain = _SAME_PROVIDER.get(domain, domain)
    plain = local.partition("+")[0] or local
    if domain in _DOTLESS:
        plain = plain.replace(".", "") or plain
    return f"{plain}@{domain}"
