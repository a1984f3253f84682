"""An in-memory copy of one kind of object in the cluster, kept current by a watch.

So that progress shows the moment the operator writes it, and no page asks the
API server. One task a process and kind (app.py starts them).
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from pydantic import ValidationError
from vivero_core.backends.kube.client import Change, KubeClient, Listing, Object
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource
from vivero_core.errors import BackendError
from vivero_core.model.base import Resource as Model

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=Model)

REFUSED_SECONDS = 10.0  # rights are mended by people: no hurry, no flood


class Mirror(Generic[T]):
    """Objects by name, and by whatever further keys `keys` says; tells subscribers of changes."""

    def __init__(self, resource: Resource, model: type[T], keys: Callable[[T], Iterable[str]]) -> None:
        self._resource = resource
        self._model = model
        self._keys = keys
        self._objects: dict[str, T] = {}
        self._index: dict[str, str] = {}
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.synced = False

    def get(self, name: str) -> T | None:
        return self._objects.get(name)

    def find(self, key: str) -> T | None:
        """By one of its further keys; of two with the same key, the older object has it."""
        name = self._index.get(key)
        return self._objects.get(name) if name else None

    def all(self) -> list[T]:
        return list(self._objects.values())

    @contextmanager
    def subscribe(self, name: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change of the object of that name, also of one that is not there yet."""
        event = asyncio.Event()
        listeners = self._listeners.setdefault(name, set())
        listeners.add(event)
        try:
            yield event
        finally:
            listeners.discard(event)
            if not listeners:
                self._listeners.pop(name, None)

    async def run(self, client: KubeClient) -> None:
        """Keep it current until cancelled."""
        while True:
            try:
                async for update in follow(client, self._resource):
                    self.take(update)
            except BackendError as error:
                self.synced = False
                logger.error("may not follow %s: %s", self._resource.plural, error)  # noqa: TRY400  its message says all
                await asyncio.sleep(REFUSED_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311  jitter

    def take(self, update: Listing | Change) -> None:
        """Make one update of the watch visible."""
        if isinstance(update, Listing):
            self._replace(update.items)
            self.synced = True
        elif update.type == "DELETED":
            self._drop(update.object["metadata"]["name"])
        else:
            self._put(update.object)

    def _replace(self, items: list[Object]) -> None:
        gone = self._objects.keys() - {item["metadata"]["name"] for item in items}
        for name in list(gone):
            self._drop(name)
        for item in items:
            self._put(item)

    def _put(self, body: Object) -> None:
        name: str = body["metadata"]["name"]
        try:
            parsed = self._model.parse(body)
        except ValidationError as error:
            # One odd object, perhaps of a newer version, must not blind us for the others.
            logger.warning("%s %s does not parse: %s", self._resource.kind, name, error.errors(include_input=False))
            return
        if name in self._objects:
            self._unindex(name)
        self._objects[name] = parsed
        for key in self._keys(parsed):
            self._index.setdefault(key, name)
        self._tell(name)

    def _drop(self, name: str) -> None:
        if name in self._objects:
            self._unindex(name)
            del self._objects[name]
            self._tell(name)

    def _unindex(self, name: str) -> None:
        for key in self._keys(self._objects[name]):
            if self._index.get(key) == name:
                del self._index[key]

    def _tell(self, name: str) -> None:
        for event in self._listeners.get(name, ()):
            event.set()
