"""When a link that confirms an address is mailed: with the welcome, as a reminder, and when it is asked for again."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.signups.policies import REMINDERS
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.jobs.repository import OutboxRepository

LINK: Final = "signup.link"
PAGE: Final = "/confirm"
"""Where the mailed link leads."""
_AFTER: Final = (timedelta(0), *REMINDERS)


class LinkRequest(msgspec.Struct, frozen=True):
    """Payload: whose address is to be confirmed; an empty id belongs to no signup. Reminders count from 1."""

    signup_id: str
    email: str = ""
    reminder: int = 0

    @property
    def is_welcome(self) -> bool:
        return self.reminder == 0

    async def enqueue(self, session: AsyncSession, key: str, now: datetime, *, due_at: datetime) -> None:
        payload: dict[str, Any] = msgspec.to_builtins(self)
        about = signup_subject(signup_digest(self.signup_id)) if self.signup_id else None
        await OutboxRepository(session).enqueue(
            kind=LINK, key=f"{LINK}:{key}", payload=payload, now=now, due_at=due_at, subject=about
        )


async def enqueue_links(session: AsyncSession, signup_id: str, email: str, now: datetime) -> None:
    """The welcome, now that there is a workspace, and the reminders."""
    for number, later in enumerate(_AFTER):
        request = LinkRequest(signup_id, email, number)
        await request.enqueue(session, f"{signup_id}:{number}", now, due_at=now + later)
