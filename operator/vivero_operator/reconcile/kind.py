"""KindSpec: all that the operator knows of one of our kinds, from its model to its rights; `kinds.py` registers them.

What an event of an object leads to is here too, for a kind that wants no more than to be reconciled when it changes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from vivero_core.backends.kube.resources import Resource as Address
from vivero_core.backends.kube.resources import of_model
from vivero_core.model.base import Metadata, Resource

from vivero_operator.policies.life import paused
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key, Result
from vivero_operator.reconcile.run import Services

R = TypeVar("R", bound=Resource)


class Reconciler(ABC):
    """Of one kind."""

    async def recall(self) -> None:  # noqa: B027  most kinds have stored nothing
        """Before the first pass of any kind: what an earlier program has stored."""

    @abstractmethod
    async def reconcile(self, name: str) -> Result:
        """Reconcile the object of this name, which may have been deleted."""


class News(Enum):
    """The content of a watch event."""

    ECHO = "echo"
    """Nothing but our own status."""
    FIRST = "first"
    """An object that this program did not know; after a start that is every one."""
    CHANGED = "changed"
    """Other wants than before."""


def take(context: HandlerContext, item: Resource) -> News:
    """An object was added or changed: mirror it, and queue it unless it wants what it wanted before."""
    context.cluster.of(type(item)).put(item)
    meta = item.metadata
    wants = meta.generation, meta.deletion_timestamp, paused(meta)
    known = context.wants.get(meta.uid)
    if known == wants:
        return News.ECHO
    context.wants[meta.uid] = wants
    context.queue.add(Key(type(item).__name__, meta.name))
    return News.FIRST if known is None else News.CHANGED


def drop(context: HandlerContext, model: type[Resource], metadata: Metadata) -> None:
    """Handle a deleted object: its reconciler runs once more."""
    context.wants.pop(metadata.uid, None)
    context.cluster.of(model).drop(metadata.name, metadata.uid)
    context.queue.add(Key(model.__name__, metadata.name))


@dataclass(frozen=True)
class KindSpec(Generic[R]):
    """One of our kinds."""

    model: type[R]
    """Its fields, and how kubectl names and prints them."""
    reconciler: Callable[[Services, HandlerContext], Reconciler]
    verbs: tuple[str, ...] = ()
    """What the operator's account may do to its objects beside get, list and watch, and patch of their status."""
    edited: bool = False
    """Whether people who may edit make, change and delete them; all who may view see them."""
    users: Callable[[Cluster, str], Sequence[str]] | None = None
    """Who uses the object of a name: it is not deleted while anyone does (in_use.py)."""
    deleted_unread: bool = False
    """Whether its reconciler can delete an object that cannot be parsed."""
    observe: Callable[[HandlerContext, R], object] = take
    """An object was added or changed."""
    forget: Callable[[HandlerContext, Metadata], None] | None = None
    """It is gone; without it `drop` says so."""

    @property
    def kind(self) -> str:
        return self.model.__name__

    @property
    def plural(self) -> str:
        return self.model.plural

    @property
    def resource(self) -> Address:
        return of_model(self.model)

    @property
    def summarised(self) -> bool:
        """Whether its status has a sentence beside the conditions."""
        status = self.model.model_fields["status"].annotation
        return status is not None and "message" in getattr(status, "model_fields", {})

    def gone(self, context: HandlerContext, metadata: Metadata) -> None:
        if self.forget is not None:
            self.forget(context, metadata)
        else:
            drop(context, self.model, metadata)
