"""Signed HTTP to an S3 server: botocore signs, urllib3 sends, over TLS 1.3 to one trusted authority.

botocore's own sender knows no minimum TLS version and wants the authority as
a file; it lets another sender take over through its `before-send` event.
"""

import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final, cast
from xml.etree import ElementTree as ET

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials as SigningCredentials
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError, SSLError

from vivero_core.backends.addresses import checked_url
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.errors import SYSTEM, from_answer
from vivero_core.backends.tls import client_context
from vivero_core.errors import BackendError, BackendRefusedError, BackendUnavailableError, BackendUnfinishedError

if TYPE_CHECKING:
    from botocore.compat import HTTPHeaders

_PIECE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An S3 server and how long to wait for it, in seconds."""

    url: str  # https://host:port, without a path
    region: str
    authority: str  # PEM text
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


Body = bytes | IO[bytes]
"""A file is sent from where it stands; it can be sought."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; the path is absolute and made of checked names."""

    method: str
    path: str
    body: Body = b""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `code` is S3's error code, empty on success."""

    status: int
    body: bytes
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST

    def raise_for(self, doing: str) -> None:
        if not self.ok:
            raise from_answer(doing, self.status, self.code)


class Transport:
    """One pool of connections to one endpoint; safe for threads."""

    def __init__(self, endpoint: Endpoint, system: str = SYSTEM) -> None:
        checked_url(endpoint.url, system)
        self.endpoint = endpoint
        self._system = system
        self._pool = urllib3.PoolManager(
            maxsize=16,
            ssl_context=client_context(endpoint.authority),
            retries=False,  # the caller requeues; a retry here would only hide how long it took
        )

    def close(self) -> None:
        self._pool.clear()

    def signed(self, call: Call, login: Credentials) -> Answer:
        """Send one request, signed as `login`; an S3 error is an Answer, no answer is a BackendError."""
        url = f"{self.endpoint.url}{call.path}"
        request = AWSRequest(call.method, url, dict(call.headers), call.body, dict(call.query))
        request.headers["X-Amz-Content-SHA256"] = _sha256(call.body)
        SigV4Auth(SigningCredentials(login.name, login.secret), "s3", self.endpoint.region).add_auth(request)
        response = self.send(request.prepare())
        content: bytes = response.content
        ok = response.status_code < HTTPStatus.BAD_REQUEST
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, content, "" if ok else _error_code(content), headers)

    def done(self, call: Call, login: Credentials) -> Answer:
        """The same, with a BackendError for whatever is no success."""
        answer = self.signed(call, login)
        answer.raise_for(" ".join([call.method, call.path.removeprefix("/"), *call.query]))
        return answer

    def client_handler(self, tenants_data: float | None = None) -> Callable[..., None]:
        """`send` as a handler of botocore's event `before-send`."""
        # The stubs expect handlers to return nothing; this event's return value is its point.
        return cast("Callable[..., None]", partial(self.send, tenants_data=tenants_data))

    def send(self, request: AWSPreparedRequest, *, tenants_data: float | None = None, **_event: object) -> AWSResponse:
        """Also botocore's `before-send` handler: what it returns is the answer.

        Args:
            request: signed already.
            tenants_data: how long it may take, in seconds, because a tenant's data decides that; longer is unfinished.
            _event: what else botocore says.
        """
        try:
            raw = self._pool.request(
                request.method,
                request.url,
                body=cast("bytes | None", request.body),
                headers=dict(request.headers.items()),
                preload_content=False,
                decode_content=False,
                redirect=False,
                timeout=self._timeout(tenants_data or self.endpoint.read_timeout),
            )
            response = AWSResponse(request.url, raw.status, cast("HTTPHeaders", raw.headers), raw)
            _ = response.content  # read to the end, so that the connection serves again
        except HTTPError as error:
            if tenants_data is not None and isinstance(_inner(error), ReadTimeoutError):
                raise BackendUnfinishedError(self._system, "timeout on a tenant's data") from error
            raise _connection_error(error, self._system) from error
        return response

    def _timeout(self, read: float) -> urllib3.Timeout:
        return urllib3.Timeout(connect=self.endpoint.connect_timeout, read=read)


def _sha256(body: Body) -> str:
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest()
    begin, found = body.tell(), hashlib.sha256()
    while piece := body.read(_PIECE_BYTES):
        found.update(piece)
    body.seek(begin)
    return found.hexdigest()


def _inner(error: HTTPError) -> Exception | None:
    return error.reason if isinstance(error, MaxRetryError) else error


def _connection_error(error: HTTPError, system: str) -> BackendError:
    inner = _inner(error)
    if isinstance(inner, SSLError) and isinstance(inner.args[0], ssl.SSLCertVerificationError):
        return BackendRefusedError(system, "certificate verification failed")
    return BackendUnavailableError(system, f"no response ({type(inner).__name__})")


def _error_code(body: bytes) -> str:
    """The <Code> of an S3 error document; empty when the body is none (HEAD, a proxy's page)."""
    try:
        root = ET.fromstring(body)  # noqa: S314  from the one server whose certificate we checked
    except ET.ParseError:
        return ""
    return root.findtext("Code") or ""
