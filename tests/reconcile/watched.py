# ruff: noqa: ANN401  fakes take what the real ones take
"""An API server with watches: what is written is told to who watches, as metadata with who owns which field."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

from reconcile.fakes import FakeKube, Object, selected
from vivero_core.backends.kube.client import Change, Listing
from vivero_core.backends.kube.resources import Resource


def touched(manager: str, *parts: str) -> Object:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Update", "fieldsV1": {f"f:{part}": {"f:x": {}} for part in parts}}


class WatchedKube(FakeKube):
    """Errors and hangs by kind; watches run until a test ends them."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.listed: list[str] = []
        self._watches: dict[str, list[asyncio.Queue[Change[Object] | Exception]]] = {}

    async def list_as(
        self, resource: Resource, view: Any, namespace: str | None = None, *, metadata_only: bool = False, **how: Any
    ) -> Listing[Any]:
        self.listed.append(resource.kind)
        while resource.kind in self.hanging:  # noqa: ASYNC110  a test changes the set
            await asyncio.sleep(0.001)
        if resource.kind in self.errors:
            raise self.errors[resource.kind]
        return await super().list_as(resource, view, namespace, metadata_only=metadata_only, **how)

    async def watch(
        self, resource: Resource, _version: str, *_: object, label_selector: str | None = None, **__: object
    ) -> AsyncIterator[Change[Object]]:
        changes: asyncio.Queue[Change[Object] | Exception] = asyncio.Queue()
        self._watches.setdefault(resource.kind, []).append(changes)
        try:
            while True:
                change = await changes.get()
                if isinstance(change, Exception):
                    raise change
                if change.type == "BOOKMARK" or selected(change.object, label_selector):
                    yield change
        finally:
            self._watches[resource.kind].remove(changes)

    def watching(self, kind: str) -> bool:
        return bool(self._watches.get(kind))

    def tell(self, kind: str, change: Literal["ADDED", "MODIFIED", "DELETED"], item: Object) -> None:
        for changes in self._watches.get(kind, ()):
            changes.put_nowait(Change(change, item))

    def interrupt(self, kind: str, error: Exception) -> None:
        for changes in self._watches.get(kind, ()):
            changes.put_nowait(error)
