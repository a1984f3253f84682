"""From a watch event to the mirror and the work queue: the same for all our kinds, whatever the object holds.

An object that cannot be parsed is kept as such and queued, so that it gets a
condition; it stops no other, and its last readable version stays in effect.
"""

import logging
from typing import Any

import kopf
from vivero_core.model.base import Metadata
from vivero_core.model.constants import GROUP, VERSION
from vivero_core.model.reading import Unreadable, read

from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.kind import KindSpec

logger = logging.getLogger(__name__)


def listed(context: HandlerContext, spec: KindSpec[Any], body: dict[str, Any]) -> None:
    """An object of the first list: remembered, and not yet acted on."""
    found = read(spec.model, body)
    if isinstance(found, Unreadable):
        context.cluster.put_unreadable(spec.kind, found)
    else:
        context.cluster.of(spec.model).put(found)


def handle(context: HandlerContext, spec: KindSpec[Any], change: str | None, body: dict[str, Any]) -> None:
    """An event: ADDED, MODIFIED, DELETED, or None for what was listed again."""
    if change == "DELETED":
        gone(context, spec, Metadata.model_validate(body["metadata"]))
        return
    found = read(spec.model, body)
    if isinstance(found, Unreadable):
        _remember(context, spec.kind, found)
    else:
        context.cluster.unreadable.pop((spec.kind, found.name), None)
        spec.observe(context, found)


def gone(context: HandlerContext, spec: KindSpec[Any], metadata: Metadata) -> None:
    """This very object; a successor of the same name stays."""
    unreadable = context.cluster.unreadable.get((spec.kind, metadata.name))
    if unreadable is not None and unreadable.metadata.uid == metadata.uid:
        del context.cluster.unreadable[spec.kind, metadata.name]
    spec.gone(context, metadata)


def _remember(context: HandlerContext, kind: str, found: Unreadable) -> None:
    context.cluster.put_unreadable(kind, found)
    wants = "unreadable", found.metadata.generation, found.deletion_timestamp
    if context.wants.get(found.metadata.uid) != wants:
        context.wants[found.metadata.uid] = wants
        logger.warning("object cannot be parsed: %s", found.why, extra={"kind": kind, "object": found.name})
        context.queue.add(Key(kind, found.name))


def register(registry: kopf.OperatorRegistry, context: HandlerContext, spec: KindSpec[Any]) -> None:
    @kopf.index(GROUP, VERSION, spec.plural, id=f"{spec.plural}-listed", registry=registry)
    def first(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        """Makes kopf hold back all handlers until every kind has been listed: no decision on half a cluster."""
        listed(context, spec, dict(body))

    @kopf.on.event(GROUP, VERSION, spec.plural, id=spec.plural, registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        handle(context, spec, event["type"], dict(event["object"]))
