"""Whose address it is: one key for all spellings that reach one person. Decisions, no I/O (ADR 0028, ADR 0061)."""

from typing import Final

from disposable_email_domains import blocklist

from vivero_control.domain.signups.free_mail import FREE_MAIL

PROBE_DOMAIN: Final = "probe.invalid"
"""Below a name that will never be delegated (RFC 2606)."""
_SAME_PROVIDER: Final = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru",
    "yandex.kz": "yandex.ru",
}
"""Names under which one provider delivers to the same mailboxes."""
_IGNORED: Final = {"gmail.com": ".", "proton.me": "._-"}
"""Characters without a meaning for a provider: `a.b@` and `ab@` are the same person."""
_ONE_CHARACTER: Final = {"yandex.ru": (".", "-")}
"""Characters that a provider takes for one another."""


def mailbox(email: str) -> str:
    """One key for all spellings of an address that are widely known to reach one mailbox.

    Case never distinguishes two people in practice, and with all large providers what follows a `+` is the owner's own
    tag. Where an unusual provider does give a tag to another person, the two share a limit and a trial. Addresses are
    ASCII (`vivero_web.text.email_problem`), so no character has a second form in Unicode.
    """
    local, _, domain = email.lower().rpartition("@")
    domain = _SAME_PROVIDER.get(domain, domain)
    plain = local.partition("+")[0] or local
    kept = plain.translate(str.maketrans("", "", _IGNORED.get(domain, ""))) or plain
    if domain in _ONE_CHARACTER:
        kept = kept.replace(*_ONE_CHARACTER[domain])
    return f"{kept}@{domain}"


def is_disposable(email: str) -> bool:
    """Whether its provider gives addresses away that expire: they tell one person from another for an hour."""
    labels = email.lower().rpartition("@")[2].split(".")
    return any(".".join(labels[first:]) in blocklist for first in range(len(labels) - 1))


def is_probe(email: str) -> bool:
    """Whether it is the address of a synthetic probe, which is no user: no mail can reach it, and nobody can have it."""
    return email.lower().endswith(f"@{PROBE_DOMAIN}")


def company_domain(email: str) -> str | None:
    """The domain of a company's address; None where the provider gives addresses to anybody."""
    domain = mailbox(email).rpartition("@")[2]
    return None if domain in FREE_MAIL or is_disposable(email) else domain
