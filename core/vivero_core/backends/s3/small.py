"""Signed HTTP to an S3 server by the standard library alone: transport.py in a seventh of the memory.

botocore's signatures and urllib3 take 8 MiB, and an archiver runs for each database server all the time.
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hmac
import os
import select
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256 as hashed
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import quote, urlsplit

from vivero_core.backends.addresses import checked_url
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.calls import Answer, Body, Call, Endpoint, error_code, sha256
from vivero_core.backends.s3.errors import SYSTEM
from vivero_core.backends.tls import client_context
from vivero_core.errors import BackendRefusedError, BackendUnavailableError

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class SmallTransport:
    """One connection to one endpoint, for one thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts = urlsplit(checked_url(endpoint.url, SYSTEM))
        self._endpoint = endpoint
        self._host = parts.netloc
        self._connection = HTTPSConnection(
            parts.hostname or "",
            parts.port,
            timeout=endpoint.connect_timeout,
            context=client_context(endpoint.authority),
        )

    def close(self) -> None:
        self._connection.close()

    def done(self, call: Call, login: Credentials) -> Answer:
        """Send one request, signed as `login`; a BackendError for whatever is no success."""
        query = canonical_query(call.query)
        headers = signed_headers(call, self._host, self._endpoint.region, login, datetime.now(UTC))
        headers["Content-Length"] = str(_size(call.body))
        try:
            self._connect()
            self._connection.request(call.method, quote(call.path) + (f"?{query}" if query else ""), call.body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise BackendRefusedError(SYSTEM, "certificate verification failed") from error
        except (HTTPException, OSError) as error:
            self.close()
            raise BackendUnavailableError(SYSTEM, f"no response ({type(error).__name__})") from error
        code = "" if response.status < HTTPStatus.BAD_REQUEST else error_code(content)
        answer = Answer(
            response.status, content, code, {name.lower(): value for name, value in response.headers.items()}
        )
        answer.raise_for(" ".join([call.method, call.path.removeprefix("/"), *call.query]))
        return answer

    def _connect(self) -> None:
        """Anew, if the server has closed a connection that was idle: then there is its end to read."""
        connection = self._connection
        if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
            return
        connection.close()
        connection.connect()
        connection.sock.settimeout(self._endpoint.read_timeout)


def signed_headers(call: Call, host: str, region: str, login: Credentials, now: datetime) -> dict[str, str]:
    """The headers to send, with a signature over all of them, the method, the path, the query and the body."""
    at = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": sha256(call.body), "x-amz-date": at}
    headers |= {name.lower(): value for name, value in call.headers.items()}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    request = [
        call.method,
        quote(call.path),
        canonical_query(call.query),
        lines,
        names,
        headers["x-amz-content-sha256"],
    ]
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join([_ALGORITHM, at, scope, hashed("\n".join(request).encode()).hexdigest()])
    key = f"AWS4{login.secret}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={login.name}/{scope}"
    headers["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={key.hex()}"
    return headers


def canonical_query(query: Mapping[str, str]) -> str:
    """In the one form that is signed."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def _size(body: Body) -> int:
    if isinstance(body, bytes):
        return len(body)
    begin = body.tell()
    size = body.seek(0, os.SEEK_END) - begin
    body.seek(begin)
    return size
