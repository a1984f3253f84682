"""Whether workspaces that answered before their image changed still answer behind it. Nobody logs in, and none is started for it.

Some are asked every minute, by lot. One whose release is another than when it was asked last is watched for an hour.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from prometheus_client import Gauge
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.domain.status.measuring import is_in_service

ASKED: Final = 20
"""By lot in one run, besides those that are watched."""
WATCHED: Final = 100
"""At the most at once."""
WATCHED_FOR: Final = timedelta(hours=1)
SETTLES_IN: Final = timedelta(minutes=3)
"""So long its new pod may take: a rollout ends the old one when the new one is ready, but for a plan of one pod."""

changed = Gauge(
    "vivero_control_probe_changed_workspaces",
    "Workspaces that answered before their image changed within the last hour, by whether they do now",
    ["answers"],
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a workspace."""

    release: str
    answers: bool
    changed_at: datetime | None = None
    """When another release was seen, if it answered before that."""


class Tenants(Protocol):
    """The cluster's."""

    async def all(self) -> list[Tenant]: ...


class Ask(Protocol):
    """Whether the workspace of an id answers at the address of a slug."""

    async def __call__(self, slug: str, tenant_id: str) -> bool: ...


class ReleaseTask:
    """For one process, which knows what it has seen."""

    def __init__(self, tenants: Tenants, ask: Ask, clock: Clock) -> None:
        self._tenants = tenants
        self._ask = ask
        self._clock = clock
        self._known: dict[str, Asked] = {}

    async def run(self) -> None:
        """Once. Raises UnavailableError."""
        now, serving = self._clock(), {one.metadata.uid: one for one in await self._tenants.all() if is_in_service(one)}
        known = {uid: seen(one, serving[uid], now) for uid, one in self._known.items() if uid in serving}
        chosen = [serving[uid] for uid in chosen_of(known, serving, now)]
        answers = await asyncio.gather(*map(self._answers, chosen))
        self._known = known | {
            one.metadata.uid: told(known.get(one.metadata.uid), one, answer=answer)
            for one, answer in zip(chosen, answers, strict=True)
        }
        found = [one.answers for one in self._known.values() if is_settled(one, now)]
        for answer in (True, False):
            changed.labels(str(answer).lower()).set(found.count(answer))

    async def _answers(self, tenant: Tenant) -> bool:
        slug = tenant.spec.slug or ""
        return await self._ask(slug, tenant.id) or await self._ask(slug, tenant.id)


def seen(known: Asked, tenant: Tenant, now: datetime) -> Asked:
    """With what its Tenant says now."""
    release = tenant.status.release or ""
    if known.changed_at is not None and now - known.changed_at > WATCHED_FOR:
        known = replace(known, changed_at=None)
    if release == known.release:
        return known
    return Asked(release, known.answers, now if known.answers or known.changed_at else None)


def told(known: Asked | None, tenant: Tenant, *, answer: bool) -> Asked:
    """With what it answered."""
    return replace(known, answers=answer) if known else Asked(tenant.status.release or "", answer)


def chosen_of(known: Mapping[str, Asked], serving: Iterable[str], now: datetime) -> list[str]:
    """Whom to ask: those that are watched, and others by lot."""
    watched = [uid for uid, one in known.items() if one.changed_at and now - one.changed_at >= SETTLES_IN]
    others = [uid for uid in serving if uid not in known or known[uid].changed_at is None]
    return random.sample(watched, min(WATCHED, len(watched))) + random.sample(others, min(ASKED, len(others)))


def is_settled(known: Asked, now: datetime) -> bool:
    """Whether it has changed, and its new pod had time to start."""
    return known.changed_at is not None and now - known.changed_at >= SETTLES_IN
