"""A collection as a person sees it: without the fields that their role hides, and formulas that tell of those; pure."""

from collections.abc import Iterable, Mapping

import msgspec

from vivero_data.domain.collections.formulas import behind
from vivero_data.domain.collections.schemas import Collection, CollectionSummary
from vivero_data.domain.roles.rights import CollectionRights
from vivero_data.domain.users.schemas import Actor


def rights_of(actor: Actor, collection_id: int) -> CollectionRights | None:
    """What the actor's own role says of a collection; None without such a role, or without rights."""
    return actor.own.collections.get(collection_id) if actor.own else None


def seen(actor: Actor, collection: Collection) -> Collection | None:
    """The collection for the actor; None if it is not there for them.

    Of a collection whose records they see in part, the number of records is not said.
    """
    if actor.own is None:
        return collection
    rights = rights_of(actor, collection.id)
    if rights is None:
        return None
    every = collection.fields
    fields = tuple(field for field in every if rights.hidden.isdisjoint(behind(field.id, every)))
    if not fields:
        return None
    if rights.where is None:
        return msgspec.structs.replace(collection, fields=fields)
    return msgspec.structs.replace(collection, fields=fields, records=0, partial=True)


def as_seen(summaries: Iterable[CollectionSummary], shown: Mapping[int, Collection] | None) -> list[CollectionSummary]:
    """Summaries as they are, or of these collections alone, as their definitions have it."""
    if shown is None:
        return list(summaries)
    return [
        msgspec.structs.replace(one, fields=len(known.fields), records=known.records, partial=known.partial)
        for one in summaries
        if (known := shown.get(one.id))
    ]
