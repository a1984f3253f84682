"""One line of the audit log."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to what, why, from where, and what came of it."""

    at: Annotated[datetime, Meta(description="When it was begun.")]
    actor: Annotated[str, Meta(description="E-mail of who did it, or a name of the platform.")]
    action: Annotated[str, Meta(description="Stable word for programs, such as `suspend`.")]
    subject: Annotated[str, Meta(description="What it was done to, such as `tenant/acme`.")]
    reason: Annotated[str, Meta(description="Why, in the words of who did it.")]
    detail: Annotated[dict[str, Any], Meta(description="What else was said.")]
    outcome: Annotated[str, Meta(description="What came of it.")]
    address: Annotated[str, Meta(description="Where it came from; empty for the platform itself.")] = ""
