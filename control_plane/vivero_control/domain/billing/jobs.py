"""The job of billing: applying the provider's state."""

from typing import Final
from uuid import UUID

import msgspec

from vivero_control.domain.billing.synchronisation import Synchroniser
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload

APPLY: Final = "billing.apply"


class Apply(msgspec.Struct, frozen=True):
    """Payload: whose state is to be applied."""

    customer_id: UUID
    tenant: str


class ApplyJob(JobKind):
    """A message of the provider: look at this customer."""

    def __init__(self, synchroniser: Synchroniser) -> None:
        self._synchroniser = synchroniser

    async def perform(self, payload: Payload) -> None:
        await self._synchroniser.apply(msgspec.convert(payload, Apply).customer_id)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("State of a subscription", str(payload.get("tenant", "")))
