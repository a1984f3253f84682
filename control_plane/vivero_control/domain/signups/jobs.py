"""An order as a job: done again from the outbox, and what the customer hears of its end."""

from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.mail import Mail

from vivero_control.domain.notifications import mails
from vivero_control.domain.signups.policies import signup_digest
from vivero_control.domain.signups.provisioning import Order, Provisioner
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.tenants.subjects import signup_subject
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload
from vivero_control.jobs.repository import OutboxRepository

OUT_OF_TIME: Final = "Your workspace could not be made: a part of our platform did not answer for too long."


class ProvisioningJob(JobKind):
    """Makes the workspace; a dead order frees its slug, and both ends are told by mail."""

    def __init__(
        self, provisioning: Provisioner, tenant_url: Callable[[str], str], signup_url: str, clock: Clock
    ) -> None:
        self._provisioning = provisioning
        self._tenant_url = tenant_url
        self._signup_url = signup_url
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        await self._provisioning.repeat(_order(payload))

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("New workspace", f"{payload.get('slug', '')}, {payload.get('email', '')}")

    async def on_done(self, session: AsyncSession, payload: Payload) -> None:
        """The owner hears of the workspace once there is one, however late."""
        order = _order(payload)
        url = self._tenant_url(order.slug)
        welcome = mails.welcome(order.signup_id, to=order.email, url=url)
        await self._send(session, welcome, signup_subject(signup_digest(order.signup_id)))

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:
        order, sentence = _order(payload), why or OUT_OF_TIME
        await SignupRepository(session).fail(order.signup_id, sentence)
        url = self._tenant_url(order.slug)
        mail = mails.signup_failed(order.signup_id, to=order.email, url=url, why=sentence, signup_url=self._signup_url)
        await self._send(session, mail, None)

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:
        """The slug is the customer's again, unless somebody has it: then SlugTakenError."""
        order = _order(payload)
        await SignupRepository(session).revive(order.signup_id, order.slug)

    async def _send(self, session: AsyncSession, mail: Mail, subject: str | None) -> None:
        now = self._clock()
        await OutboxRepository(session).enqueue(
            kind=mails.KIND, key=mail.key, payload=mail.payload(), now=now, due_at=now, subject=subject
        )


def _order(payload: Payload) -> Order:
    return msgspec.convert(payload, Order)
