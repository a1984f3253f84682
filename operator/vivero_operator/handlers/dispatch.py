"""From a watch event to the mirror and the work queue: the same for all our kinds, whatever the object holds.

An object that cannot be parsed is kept as such and queued, so that it gets a
condition; it stops no other, and its last readable version stays in effect.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import kopf
from vivero_core.model.base import Metadata, Resource
from vivero_core.model.constants import GROUP, VERSION
from vivero_core.model.reading import Unreadable, read

from vivero_operator.handlers import HandlerContext
from vivero_operator.reconcile.controller import Key, Kind
from vivero_operator.reconcile.mirror import Mirror

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Watched(Generic[R]):
    """One of our kinds."""

    kind: Kind
    model: type[R]
    plural: str
    mirror: Callable[[HandlerContext], Mirror[R]]
    observe: Callable[[HandlerContext, R], None]
    """An object was added or changed."""
    forget: Callable[[HandlerContext, Metadata], None]
    """It is gone."""


def listed(context: HandlerContext, watched: Watched[R], body: dict[str, Any]) -> None:
    """An object of the first list: remembered, and not yet acted on."""
    found = read(watched.model, body)
    if isinstance(found, Unreadable):
        context.cluster.put_unreadable(watched.kind, found)
    else:
        watched.mirror(context).put(found)


def handle(context: HandlerContext, watched: Watched[R], change: str | None, body: dict[str, Any]) -> None:
    """An event: ADDED, MODIFIED, DELETED, or None for what was listed again."""
    key = watched.kind, body["metadata"]["name"]
    if change == "DELETED":
        context.cluster.unreadable.pop(key, None)
        watched.forget(context, Metadata.model_validate(body["metadata"]))
        return
    found = read(watched.model, body)
    if isinstance(found, Unreadable):
        _remember(context, watched.kind, found)
    else:
        context.cluster.unreadable.pop(key, None)
        watched.observe(context, found)


def _remember(context: HandlerContext, kind: Kind, found: Unreadable) -> None:
    context.cluster.put_unreadable(kind, found)
    wants = "unreadable", found.metadata.generation, found.deletion_timestamp
    if context.wants.get(found.metadata.uid) != wants:
        context.wants[found.metadata.uid] = wants
        logger.warning("object cannot be parsed: %s", found.why, extra={"kind": kind, "object": found.name})
        context.queue.add(Key(kind, found.name))


def register(registry: kopf.OperatorRegistry, context: HandlerContext, watched: Watched[R]) -> None:
    @kopf.index(GROUP, VERSION, watched.plural, id=f"{watched.plural}-listed", registry=registry)
    def first(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        """Makes kopf hold back all handlers until every kind has been listed: no decision on half a cluster."""
        listed(context, watched, dict(body))

    @kopf.on.event(GROUP, VERSION, watched.plural, id=watched.plural, registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        handle(context, watched, event["type"], dict(event["object"]))
