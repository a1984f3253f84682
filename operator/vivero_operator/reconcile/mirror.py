"""Mirror (informer cache) of the objects of one kind, by name and by indexed traits."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from vivero_core.model.base import Resource

T = TypeVar("T", bound=Resource)

REMEMBERED_GONE: Final = 20_000
"""How many uids of objects that are gone are kept: more than go while one answer is on its way."""


def _no_traits(_: object) -> Iterable[Hashable]:
    return ()


class Mirror(Generic[T]):
    """Objects of one cluster-scoped kind by name; an older version never replaces a newer one, whichever object has the name.

    Two sources fill it, watches and the answers to our own writes, and either may be late: an object that is gone does
    not come back, and a predecessor does not replace its successor. Resource versions of one kind are numbers that grow
    (KEP-5504).

    `traits` says what else they are looked up by: to search all of a thousand for each of a thousand would cost more
    than everything else the operator does.
    """

    def __init__(self, traits: Callable[[T], Iterable[Hashable]] = _no_traits) -> None:
        self._items: dict[str, T] = {}
        self._traits = traits
        self._having: dict[Hashable, dict[str, T]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def __iter__(self) -> Iterator[T]:
        # A copy: a watch event may arrive while someone iterates.
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def get(self, name: str) -> T | None:
        return self._items.get(name)

    def put(self, item: T) -> T | None:
        """Keep `item` unless it is gone or a newer one is known; returns what was known before."""
        before = self._items.get(item.metadata.name)
        if item.metadata.uid not in self._gone and (before is None or not _newer(before, item)):
            if before is not None:
                self._remove(before)
            self._items[item.metadata.name] = item
            for trait in self._traits(item):
                self._having.setdefault(trait, {})[item.metadata.name] = item
        return before

    def drop(self, name: str, uid: str) -> None:
        """Forget the object of this name and uid for good; a successor of the same name stays."""
        self._gone[uid] = None
        while len(self._gone) > REMEMBERED_GONE:
            self._gone.popitem(last=False)
        known = self._items.get(name)
        if known is not None and known.metadata.uid == uid:
            self._remove(known)

    def having(self, trait: Hashable) -> list[T]:
        """All objects with this trait."""
        return list(self._having.get(trait, {}).values())

    def _remove(self, item: T) -> None:
        name = item.metadata.name
        del self._items[name]
        for trait in self._traits(item):
            left = self._having[trait]
            del left[name]
            if not left:
                del self._having[trait]


def _newer(one: Resource, other: Resource) -> bool:
    return int(one.metadata.resource_version or 0) > int(other.metadata.resource_version or 0)
