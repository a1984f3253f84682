"""The workspace's bucket, over urllib3 in threads; bodies are streamed, never held in memory as a whole."""

import asyncio
import re
import secrets
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError
from vivero_core.tracing.spans import Kind, span
from vivero_web import clock
from vivero_web.errors import NotFoundError, UnavailableError, WebError

from vivero_data.clients.sigv4 import Signer, canonical_query
from vivero_data.errors import IsolationError
from vivero_data.settings import StorageSecret

_CONNECT_SECONDS: Final = 3.0
_READ_SECONDS: Final = 30.0  # between two reads, not in total
_PING_SECONDS: Final = 3.0  # below the probe's timeout of 4: no thread is left hanging on an unresponsive server
_CONNECTIONS: Final = 8
_SYSTEM: Final = {"rpc.system": "aws-api", "rpc.service": "S3"}
_OK: Final = frozenset({200, 204, 206})
_PARTIAL: Final = 206
_MISSING: Final = 404
_SERVER_ERROR: Final = 500
_ONE_OBJECT: Final = {"list-type": "2", "max-keys": "1"}
_KEY: Final = re.compile(r"<Key>([^<]*)</Key>")
_DEFAULT_TIMEOUT: Final = Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
PIECE: Final = 64 * 1024  # bytes read at once


class StorageError(WebError):
    """The bucket refused a request."""


class Storage:
    """Objects of one bucket by key; keys are generated (hexadecimal or base-32), never user input."""

    def __init__(self, secret: StorageSecret, tls: ssl.SSLContext) -> None:
        address = urlsplit(secret.endpoint)
        self._host = address.netloc
        self._base = secret.endpoint
        self._bucket = secret.bucket
        self._signer = Signer(secret.access_key, secret.secret_key, secret.region)
        self._http = PoolManager(
            maxsize=_CONNECTIONS,
            ssl_context=tls,
            # One retry for a pooled connection that the server closed; never after a body was sent.
            retries=Retry(connect=1, read=0, redirect=0, status=0, other=0),
        )

    def put(self, key: str, body: Iterable[bytes], size: int) -> None:
        """Store `size` bytes. Blocks: call it in a thread."""
        with self._request("PUT", f"/{self._bucket}/{key}", body=body, size=size) as response:
            response.drain_conn()

    def get(self, key: str, part: range | None = None) -> BaseHTTPResponse:
        """The open response for an object or a byte range, to be read in pieces and released. Blocks.

        Raises:
            NotFoundError: there is no such object.
            StorageError: the server ignores Range.
        """
        response = self._open("GET", f"/{self._bucket}/{key}", None, 0, {}, part=part)
        if part is None or response.status == _PARTIAL:
            return response
        response.close()
        response.release_conn()
        raise StorageError("The bucket ignored the Range header.")

    def read(self, key: str, part: range) -> bytes:
        """A few of an object's bytes; errors as `get`. Blocks."""
        response = self.get(key, part)
        try:
            return _content(response)
        finally:
            response.release_conn()

    def keys(self, prefix: str) -> list[str]:
        """All keys that begin so, in the order of their letters. Blocks."""
        found: list[str] = []
        while True:
            query = {"list-type": "2", "prefix": prefix, **({"start-after": found[-1]} if found else {})}
            with self._request("GET", f"/{self._bucket}", query=query) as response:
                page = _content(response).decode()
            found += _KEY.findall(page)
            if "<IsTruncated>true" not in page:
                return found

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when it is gone already. Blocks."""
        with self._request("DELETE", f"/{self._bucket}/{key}") as response:
            response.drain_conn()

    async def prove(self) -> None:
        """Write, read and delete an object.

        Raises:
            UnavailableError: one of them failed.
        """
        await asyncio.to_thread(self._prove)

    async def ping(self) -> None:
        """List one object, which needs the bucket and our right to it.

        Raises:
            UnavailableError: the bucket is not there, or not ours.
        """
        await asyncio.to_thread(self._ping)

    async def check_isolation(self, neighbour: str) -> None:
        """Try to list another workspace's bucket; `neighbour` is its id.

        Raises:
            IsolationError: it can be listed.
            UnavailableError: the server does not answer.
        """
        await asyncio.to_thread(self._check_isolation, neighbour)

    def close(self) -> None:
        self._http.clear()

    def _ping(self) -> None:
        try:
            with self._request("GET", f"/{self._bucket}", query=_ONE_OBJECT, seconds=_PING_SECONDS) as response:
                response.drain_conn()
        except (NotFoundError, StorageError) as error:
            raise UnavailableError("The bucket does not answer.") from error

    def _prove(self) -> None:
        key, value = f"proof/{secrets.token_hex(8)}", secrets.token_bytes(16)
        try:
            self.put(key, [value], len(value))
            response = self.get(key)
            found = response.read()
            response.release_conn()
            self.delete(key)
        except (NotFoundError, StorageError) as error:
            raise UnavailableError("The bucket does not answer.") from error
        if found != value:
            raise UnavailableError("The bucket did not return what was written.")

    def _check_isolation(self, neighbour: str) -> None:
        from vivero_core.model.naming import bucket_name  # noqa: PLC0415  the proof is rare, memory is not

        try:
            with self._request("GET", f"/{bucket_name(neighbour)}", query=_ONE_OBJECT) as response:
                response.drain_conn()
        except (NotFoundError, StorageError):
            return
        raise IsolationError("The bucket of another workspace is open to this one.")

    @contextmanager
    def _request(  # noqa: PLR0913  what an S3 request has
        self,
        method: str,
        path: str,
        *,
        body: Iterable[bytes] | None = None,
        size: int = 0,
        query: dict[str, str] | None = None,
        seconds: float | None = None,
    ) -> Iterator[BaseHTTPResponse]:
        response = self._open(method, path, body, size, query or {}, seconds)
        try:
            yield response
        finally:
            response.release_conn()

    def _open(  # noqa: PLR0913, PLR0917  as above
        self,
        method: str,
        path: str,
        body: Iterable[bytes] | None,
        size: int,
        query: dict[str, str],
        seconds: float | None = None,
        part: range | None = None,
    ) -> BaseHTTPResponse:
        """`seconds` is the total timeout of a short request; others may run as long as data arrives."""
        headers = self._signer.headers(method, self._host, path, clock.now(), query=query)
        if body is not None:
            headers["content-length"] = str(size)
        if part is not None:
            headers["range"] = f"bytes={part.start}-{part.stop - 1}"
        suffix = f"?{canonical_query(query)}" if query else ""
        try:
            with span(f"{method} object store", Kind.CLIENT, _SYSTEM):
                response = self._http.request(
                    method,
                    f"{self._base}{path}{suffix}",
                    body=body,
                    headers=headers,
                    preload_content=False,
                    timeout=Timeout(total=seconds) if seconds else _DEFAULT_TIMEOUT,
                )
        except HTTPError as error:
            raise UnavailableError("The bucket does not answer.") from error
        if response.status in _OK:
            return response
        response.drain_conn()
        response.release_conn()
        raise _refusal(response.status)


def _content(response: BaseHTTPResponse) -> bytes:
    try:
        return response.read()
    except HTTPError as error:
        raise UnavailableError("The bucket stopped answering.") from error


def _refusal(status: int) -> WebError:
    if status == _MISSING:
        return NotFoundError("The file is not in the bucket.")
    if status >= _SERVER_ERROR:
        return UnavailableError("The bucket does not answer.")
    return StorageError(f"The bucket refused a request (status {status}).")
