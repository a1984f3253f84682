"""An informer: an in-memory cache of one kind of object in the cluster, kept current by a watch.

So progress shows the moment the operator writes it, and no page asks the API server. One task a process and kind.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from prometheus_client import Gauge
from vivero_core.backends.kube.client import Change, KubeClient, Listing, Object, whole
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource
from vivero_core.errors import BackendError
from vivero_core.model.base import Resource as Model
from vivero_core.model.reading import Unreadable, read

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=Model)

FORBIDDEN_SECONDS = 10.0  # rights are given by people: no hurry

unreadable_objects = Gauge("vivero_control_unreadable_objects", "Objects in the cluster that cannot be read", ["kind"])


class Informer(Generic[T]):
    """Objects by name, and by the index keys that `keys` returns; notifies subscribers of changes.

    The newest resource version wins, whatever order events arrive in: versions of one kind are growing numbers
    (KEP-5504), so a late event undoes neither a newer state nor a write of our own (`record_write`).

    An object that cannot be parsed is kept apart, with the reason, for people to see.
    """

    def __init__(self, resource: Resource, model: type[T], keys: Callable[[T], Iterable[str]]) -> None:
        self._resource = resource
        self._model = model
        self._keys = keys
        self._objects: dict[str, T] = {}
        self._unreadable: dict[str, Unreadable] = {}
        self._index: dict[str, dict[str, None]] = {}
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._seen = 0
        self.synced = False

    def get(self, name: str) -> T | None:
        return self._objects.get(name)

    def find(self, key: str) -> T | None:
        """By an index key; of several with the same key, the one that had it first."""
        return next(iter(self.by_index(key)), None)

    def by_index(self, key: str) -> list[T]:
        """All with an index key, in the order in which they got it."""
        return [self._objects[name] for name in self._index.get(key, ())]

    def all(self) -> list[T]:
        return list(self._objects.values())

    def unreadable(self) -> list[Unreadable]:
        """Those that exist and cannot be parsed."""
        return list(self._unreadable.values())

    @contextmanager
    def subscribe(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change of an object with that index key, also of one that does not exist yet."""
        event = asyncio.Event()
        listeners = self._listeners.setdefault(key, set())
        listeners.add(event)
        try:
            yield event
        finally:
            listeners.discard(event)
            if not listeners:
                self._listeners.pop(key, None)

    def notify(self, keys: Iterable[str]) -> None:
        """Set the events of these keys' subscribers."""
        for key in keys:
            for event in self._listeners.get(key, ()):
                event.set()

    async def run(self, client: KubeClient) -> None:
        """Keep the cache current until cancelled; after an error it may be stale."""
        try:
            await self._follow(client)
        finally:
            self.synced = False

    async def _follow(self, client: KubeClient) -> None:
        while True:
            try:
                async for update in follow(client, self._resource, whole):
                    self.apply(update)
            except BackendError as error:
                self.synced = False
                logger.error("watch refused, retrying: %s", error, extra={"kind": self._resource.kind})  # noqa: TRY400  its message says all
                await asyncio.sleep(FORBIDDEN_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311  jitter

    def apply(self, update: Listing[Object] | Change[Object]) -> None:
        """Apply one update of the watch."""
        if isinstance(update, Listing):
            self._seen = int(update.resource_version)
            self._replace(update.items)
            self.synced = True
            return
        self._seen = _version_of(update.object)
        if update.type == "DELETED":
            self._deleted(update.object["metadata"]["name"])
        else:
            self._parse(update.object)
        self._count()

    def record_write(self, written: T) -> None:
        """Make a write of our own visible before the watch reports it.

        Only while the watch is behind it: otherwise the object may have been deleted since.
        """
        if self.synced and int(written.metadata.resource_version) > self._seen:
            self._put(written)

    def _replace(self, items: list[Object]) -> None:
        for name in (self._objects.keys() | self._unreadable.keys()) - {item["metadata"]["name"] for item in items}:
            self._deleted(name)
        for item in items:
            self._parse(item)
        self._count()

    def _parse(self, body: Object) -> None:
        found = read(self._model, body)
        if not isinstance(found, Unreadable):
            self._unreadable.pop(found.metadata.name, None)
            self._put(found)
            return
        logger.warning(
            "object cannot be parsed: %s", found.why, extra={"kind": self._resource.kind, "object": found.name}
        )
        self._remove(found.name)
        if found.name not in self._objects:
            self._unreadable[found.name] = found

    def _deleted(self, name: str) -> None:
        self._unreadable.pop(name, None)
        self._remove(name)

    def _count(self) -> None:
        unreadable_objects.labels(self._resource.kind).set(len(self._unreadable))

    def _put(self, new: T) -> None:
        name = new.metadata.name
        old = self._objects.get(name)
        if old is not None and int(old.metadata.resource_version) > int(new.metadata.resource_version):
            return
        before, after = set(self._keys(old)) if old else set(), dict.fromkeys(self._keys(new))
        self._objects[name] = new
        for key in after:
            self._index.setdefault(key, {})[name] = None
        self._unindex(name, before - after.keys())
        self.notify(before | after.keys())

    def _remove(self, name: str) -> None:
        """Unless it is a write of our own that is newer than what the watch reported."""
        old = self._objects.get(name)
        if old is None or int(old.metadata.resource_version) > self._seen:
            return
        keys = set(self._keys(old))
        self._unindex(name, keys)
        del self._objects[name]
        self.notify(keys)

    def _unindex(self, name: str, keys: set[str]) -> None:
        for key in keys:
            self._index[key].pop(name, None)
            if not self._index[key]:
                del self._index[key]


def _version_of(body: Object) -> int:
    return int(body["metadata"]["resourceVersion"])
