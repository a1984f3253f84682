"""Signed HTTP to an S3 server: botocore signs, urllib3 sends, over TLS 1.3 to one trusted authority.

botocore's own sender knows no minimum TLS version and wants the authority as
a file; it lets another sender take over through its `before-send` event.
"""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials as SigningCredentials
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError, SSLError

from vivero_core.backends.addresses import checked_url
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.calls import Answer, Body, Call, Endpoint, error_code, sha256
from vivero_core.backends.s3.errors import SYSTEM, from_answer
from vivero_core.backends.tls import client_context
from vivero_core.errors import BackendError, BackendRefusedError, BackendUnavailableError, BackendUnfinishedError

if TYPE_CHECKING:
    from botocore.compat import HTTPHeaders

__all__ = ["Answer", "Body", "Call", "Endpoint", "Transport", "translated"]


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
        request.headers["X-Amz-Content-SHA256"] = sha256(call.body)
        SigV4Auth(SigningCredentials(login.name, login.secret), "s3", self.endpoint.region).add_auth(request)
        response = self.send(request.prepare())
        content: bytes = response.content
        ok = response.status_code < HTTPStatus.BAD_REQUEST
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, content, "" if ok else error_code(content), headers)

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


def _inner(error: HTTPError) -> Exception | None:
    return error.reason if isinstance(error, MaxRetryError) else error


def _connection_error(error: HTTPError, system: str) -> BackendError:
    inner = _inner(error)
    if isinstance(inner, SSLError) and isinstance(inner.args[0], ssl.SSLCertVerificationError):
        return BackendRefusedError(system, "certificate verification failed")
    return BackendUnavailableError(system, f"no response ({type(inner).__name__})")


@contextlib.contextmanager
def translated(doing: str, system: str = SYSTEM) -> Iterator[None]:
    """Raise a BackendError, its cause chained, for any error of boto3's client in the block."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise from_answer(doing, status, error.response["Error"]["Code"], system) from error
    except BotoCoreError as error:
        raise BackendUnavailableError(system, f"{doing}: {type(error).__name__}") from error
