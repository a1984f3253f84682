"""Requests without botocore: signed as botocore signs them, and what comes of a server that does not answer."""

import io
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.calls import Call, Endpoint, sha256
from vivero_core.backends.s3.small import SmallTransport, canonical_query, signed_headers
from vivero_core.errors import BackendMisconfiguredError, BackendRefusedError, BackendUnavailableError
from vivero_dev.certificates import Authority

LOGIN = Credentials("archiver", "a secret+/=")
WORDS = st.text("abcxyz0189-", min_size=1, max_size=12)
VALUES = st.text(min_size=1, max_size=12, alphabet=st.characters(min_codepoint=33, max_codepoint=126))


@given(
    method=st.sampled_from(["GET", "PUT", "HEAD"]),
    path=st.lists(WORDS, min_size=1, max_size=4),
    query=st.dictionaries(WORDS, VALUES, max_size=3),
    metadata=st.dictionaries(WORDS, VALUES, max_size=3),
    body=st.binary(max_size=64),
)
def test_a_request_is_signed_as_botocore_signs_it(
    method: str, path: list[str], query: dict[str, str], metadata: dict[str, str], body: bytes
) -> None:
    headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
    call = Call(method, "/" + "/".join(path), body, query, headers)
    request = AWSRequest(method, f"https://s3.example.com:7070{call.path}", dict(headers), body, dict(query))
    request.headers["X-Amz-Content-SHA256"] = sha256(body)
    SigV4Auth(SigningCredentials(LOGIN.name, LOGIN.secret), "s3", "eu-central-1").add_auth(request)
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signed = signed_headers(call, "s3.example.com:7070", "eu-central-1", LOGIN, at)
    assert signed["authorization"] == request.headers["Authorization"]


def test_a_file_is_signed_and_sent_from_where_it_stands() -> None:
    file = io.BytesIO(b"beginning and end")
    file.seek(10)
    assert sha256(file) == sha256(b"and end")
    assert file.read() == b"and end"


def test_a_query_has_one_form() -> None:
    assert canonical_query({"prefix": "a/b c~", "list-type": "2"}) == "list-type=2&prefix=a%2Fb%20c~"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("server", ["localhost"])
    return made


class OnceServer:
    """Answers one request of each connection, and then closes that without a word."""

    def __init__(self, authority: Authority) -> None:
        pair = authority.issue("server", ["localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self.closed = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):  # of a client that does not trust us, and of the end
            while True:
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rb") as lines:
                    while next(lines).strip():
                        pass
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amz-Meta-Last: 7\r\n\r\nok")
                self.closed.release()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server(authority: Authority) -> Iterator[OnceServer]:
    with closing(OnceServer(authority)) as one:
        yield one


def test_a_connection_that_the_server_has_closed_is_made_anew(server: OnceServer, authority: Authority) -> None:
    with closing(SmallTransport(Endpoint(server.url, "r", authority.certificate.read_text()))) as transport:
        for _ in range(3):
            answer = transport.done(Call("GET", "/bucket/key"), LOGIN)
            assert (answer.status, answer.body, answer.headers["x-amz-meta-last"]) == (200, b"ok", "7")
            assert server.closed.acquire(timeout=60)


def test_a_server_of_another_authority_is_refused(server: OnceServer, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    other.issue("server", ["localhost"])
    with (
        closing(SmallTransport(Endpoint(server.url, "r", other.certificate.read_text()))) as transport,
        pytest.raises(BackendRefusedError, match="certificate verification failed"),
    ):
        transport.done(Call("GET", "/bucket/key"), LOGIN)


def test_a_server_that_is_away_is_unavailable(authority: Authority) -> None:
    endpoint = Endpoint("https://127.0.0.1:1", "r", authority.certificate.read_text())
    with closing(SmallTransport(endpoint)) as transport, pytest.raises(BackendUnavailableError, match="no response"):
        transport.done(Call("GET", "/bucket"), LOGIN)


def test_an_address_that_is_none_is_refused(authority: Authority) -> None:
    with pytest.raises(BackendMisconfiguredError):
        SmallTransport(Endpoint("http://127.0.0.1:7070", "r", authority.certificate.read_text()))
