"""A small async client of the Kubernetes API, for the operator and the control plane.

Why not kubernetes_asyncio: importing its generated models costs 70 MiB
resident (105 against 38 with aiohttp alone, measured), half of what the
operator may use, and both programs only move dictionaries to and fro.
kopf brings aiohttp anyway, and imports the generated clients by itself when
they are installed, so they are not.

Every request is bounded in time; every refusal is a typed error (errors.py).
"""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import aiohttp

from vivero_core.backends.connections import Connector
from vivero_core.backends.kube.backoff import ConnectionBackoff
from vivero_core.backends.kube.config import KubeConfig
from vivero_core.backends.kube.errors import SYSTEM, KubeUnavailableError, from_status
from vivero_core.backends.kube.resources import Resource, resource_of
from vivero_core.tracing.spans import Kind, span

Object = dict[str, Any]
Operations = list[Object]  # of a JSON patch
V = TypeVar("V")

JSON = "application/json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML; this media type selects server-side apply
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_NOT_PLAIN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

REQUEST_SECONDS = 15.0  # the API server's own limit is 60; a slower answer is a fault to report
WATCH_SECONDS = 240  # the server ends a watch after this, and we resume
SILENCE_SECONDS = 100.0  # bookmarks come about every minute: longer silence is a dead connection
PAGE = 200  # objects a list answer holds: two megabytes of pods


@dataclass(frozen=True, slots=True)
class Listing(Generic[V]):
    """Every object of a kind at one moment, or what is kept of each, and that moment."""

    items: list[V]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Change(Generic[V]):
    """One event of a watch. A BOOKMARK holds nothing but a newer resource version."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: V


class KubeClient:
    """Talks to one API server as one field manager; use it as an async context manager.

    `fence` is called before every request that writes, and stops it by raising;
    `on_answer` is called for every response but a watch's, with method and status;
    `backoff` is shared with other clients of the same server.
    """

    def __init__(  # noqa: PLR0913  what it may share with others, by name
        self,
        config: KubeConfig,
        *,
        field_manager: str,
        timeout: float = REQUEST_SECONDS,
        fence: Callable[[], None] | None = None,
        backoff: ConnectionBackoff | None = None,
        on_answer: Callable[[str, int], None] = lambda method, status: None,  # noqa: ARG005
    ) -> None:
        self.config = config
        self._on_answer = on_answer
        self.field_manager = field_manager
        self._fence = fence
        self._backoff = backoff or ConnectionBackoff()
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # 40 connections: a few for each reconcile that runs at once, and one for each watch.
        connector = Connector(ssl=self.config.tls, limit=40, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            self.config.server, connector=connector, trace_configs=[self._backoff.trace()]
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object.

        Raises:
            KubeNotFoundError: it is not there; no other error means that.
        """
        return await self._request("GET", resource.path(name, namespace=namespace))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
    ) -> Listing[Object]:
        """All objects of a kind (in a namespace), read in pages of one consistent state."""
        return await self.list_as(
            resource,
            whole,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            metadata_only=metadata_only,
        )

    async def list_as(  # noqa: PLR0913  what narrows it, by name
        self,
        resource: Resource,
        view: Callable[[Object], V],
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
    ) -> Listing[V]:
        """What `view` keeps of each object; the objects themselves are let go page by page."""
        query = _selectors(label_selector, field_selector) | {"limit": str(PAGE)}
        items: list[V] = []
        while True:
            page = await self._request(
                "GET", resource.path(namespace=namespace), query=query, accept=_accept("List", metadata_only)
            )
            # An empty list of metadata comes as null.
            found = page.get("items") or ()
            items += [view({"apiVersion": resource.api_version, "kind": resource.kind, **item}) for item in found]
            meta = page.get("metadata", {})
            if "resourceVersion" not in meta:
                raise KubeUnavailableError(SYSTEM, f"list {resource.plural}: the response is not a list")
            following = meta.get("continue")
            if not following:
                return Listing(items, meta["resourceVersion"])
            query["continue"] = following

    async def create(self, manifest: Object) -> Object:
        """Raises KubeAlreadyExistsError when the name is taken."""
        path = resource_of(manifest).path(namespace=_namespace(manifest))
        return await self._request("POST", path, manifest, query={"fieldManager": self.field_manager})

    async def apply(self, manifest: Object, *, force: bool = True, subresource: str | None = None) -> Object:
        """Server-side apply: the object then has what the manifest says, and loses what we said before and no more.

        An apply that changes nothing writes nothing. Give `metadata.uid` to
        touch that very object only. `force` takes fields from other managers.
        """
        path = _path(manifest, subresource)
        query = {"fieldManager": self.field_manager, "force": "true" if force else "false"}
        return await self._request("PATCH", path, manifest, query=query, media_type=APPLY)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Object | Operations,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
    ) -> Object:
        """A merge patch (a dictionary; null removes) or a JSON patch (a list of operations).

        A `metadata.resourceVersion` in a merge patch makes it conditional.
        """
        media_type = JSON_PATCH if isinstance(patch, list) else MERGE
        path = resource.path(name, namespace=namespace, subresource=subresource)
        query = {"fieldManager": self.field_manager}
        return await self._request("PATCH", path, patch, query=query, media_type=media_type)

    async def patch_status(
        self, resource: Resource, name: str, status: Object, namespace: str | None = None, *, uid: str | None = None
    ) -> Object:
        """Merge into the status; with `uid`, only of that very object (else KubeConflictError)."""
        body: Object = {"status": status} | ({"metadata": {"uid": uid}} if uid else {})
        return await self.patch(resource, name, body, namespace, subresource="status")

    async def replace(self, manifest: Object) -> Object:
        """Put the whole object; its resourceVersion has to be the current one, else KubeConflictError."""
        return await self._request("PUT", _path(manifest), manifest, query={"fieldManager": self.field_manager})

    async def delete(  # noqa: PLR0913  what makes it safe, by name
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str,
        resource_version: str | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
    ) -> None:
        """Delete the object of this name and this UID, and with `resource_version` only as it was in that version.

        Raises:
            KubeNotFoundError: it is gone already.
            KubeConflictError: the name now belongs to another object, or the object was changed since.
        """
        version = {"resourceVersion": resource_version} if resource_version else {}
        options = {"preconditions": {"uid": uid, **version}, "propagationPolicy": propagation}
        await self._request("DELETE", resource.path(name, namespace=namespace), options)

    async def watch(  # noqa: PLR0913  what narrows it, by name
        self,
        resource: Resource,
        resource_version: str,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
    ) -> AsyncIterator[Change[Object]]:
        """Changes after `resource_version`, until the server ends the connection (a few minutes at most).

        Raises:
            KubeGoneError: the version is too old; list again.
        """
        query = _selectors(label_selector, field_selector) | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        path = resource.path(namespace=namespace)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE_SECONDS)
        try:
            headers = self._headers() | {"Accept": _accept("", metadata_only)}
            async with self._open.get(path, params=query, headers=headers, timeout=timeout) as response:
                if response.status >= 400:  # noqa: PLR2004  HTTP's own threshold
                    raise from_status(response.status, await _body(response), f"watch {path}")
                try:
                    async for line in _lines(response.content):
                        yield _change(json.loads(line), path)
                finally:
                    _abandon(response)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise KubeUnavailableError(SYSTEM, f"watch {path}: {type(error).__name__} {error}") from error

    async def version(self) -> str:
        """For example `v1.34.4`; also the cheapest proof that the server answers."""
        return str((await self._request("GET", "/version"))["gitVersion"])

    @property
    def _open(self) -> aiohttp.ClientSession:
        if not self._session:
            raise KubeUnavailableError(SYSTEM, "the client is closed")
        return self._session

    def _headers(self) -> dict[str, str]:
        if not self.config.token_file:
            return {}
        # Read each time: kubelet renews it in place, and the file is in memory.
        return {"Authorization": f"Bearer {self.config.token_file.read_text().strip()}"}

    async def _request(  # noqa: PLR0913  the parts of a request
        self,
        method: str,
        path: str,
        payload: Object | Operations | None = None,
        *,
        query: dict[str, str] | None = None,
        media_type: str = JSON,
        accept: str = JSON,
    ) -> Object:
        if self._fence is not None and method != "GET":
            self._fence()
        headers = self._headers() | {"Content-Type": media_type, "Accept": accept}
        data = None if payload is None else encoded(payload)
        try:
            with span(f"{method} kubernetes", Kind.CLIENT, {"url.path": path}):
                async with self._open.request(
                    method, path, params=query, data=data, headers=headers, timeout=self._timeout
                ) as response:
                    body = await _body(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KubeUnavailableError(SYSTEM, f"{method} {path}: {type(error).__name__} {error}") from error
        self._on_answer(method, response.status)
        if response.status >= 400:  # noqa: PLR2004  HTTP's own threshold
            raise from_status(response.status, body, f"{method} {path}")
        if not body:
            # A page of something in between: no answer of the API server is empty.
            raise KubeUnavailableError(SYSTEM, f"{method} {path}: the response is not a JSON object")
        return body


def _abandon(response: aiohttp.ClientResponse) -> None:
    """End the connection of a stream that is not at its end at once: TLS would wait up to 30 s for the server's goodbye."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()


def encoded(payload: Object | Operations) -> bytes:
    """JSON that is YAML as well, which is how the server reads an apply.

    YAML knows no pair of surrogate escapes, so characters beyond the basic plane
    (emoji) are sent as they are; those it takes for line breaks or refuses are escaped.
    """
    text = json.dumps(payload, ensure_ascii=False)
    return _NOT_PLAIN_YAML.sub(lambda character: f"\\u{ord(character[0]):04x}", text).encode()


def _accept(suffix: str, metadata_only: bool) -> str:  # noqa: FBT001  passed on
    """The form of the answer: whole objects, or their metadata alone."""
    return f"{JSON};as=PartialObjectMetadata{suffix};g=meta.k8s.io;v=v1" if metadata_only else JSON


def _namespace(manifest: Object) -> str | None:
    namespace: str | None = manifest["metadata"].get("namespace")
    return namespace


def _path(manifest: Object, subresource: str | None = None) -> str:
    resource = resource_of(manifest)
    return resource.path(manifest["metadata"]["name"], namespace=_namespace(manifest), subresource=subresource)


def whole(item: Object) -> Object:
    """The view that leaves nothing out."""
    return item


def _selectors(label: str | None, field: str | None) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", label), ("fieldSelector", field)) if value}


async def _body(response: aiohttp.ClientResponse) -> Object:
    """The JSON object of an answer; empty when it is none (a proxy's page, an empty body)."""
    try:
        parsed = json.loads(await response.read())
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of any length (aiohttp's own readline stops at 64 KiB; an object may have 1.5 MiB)."""
    buffer = bytearray()
    async for chunk in stream.iter_any():
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            yield bytes(buffer[:end])
            del buffer[: end + 1]


def _change(event: Object, path: str) -> Change[Object]:
    if not (isinstance(event, dict) and isinstance(event.get("object"), dict) and "type" in event):
        raise KubeUnavailableError(SYSTEM, f"watch {path}: a line is not a watch event")
    if event["type"] == "ERROR":
        status = event["object"]
        raise from_status(int(status.get("code") or 500), status, f"watch {path}")
    return Change(event["type"], event["object"])
