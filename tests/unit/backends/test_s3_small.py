"""Requests without botocore: signed as botocore signs them, and what comes of a server that does not answer."""

import io
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.calls import Call, Endpoint, sha256
from vivero_core.backends.s3.small import SmallTransport, canonical_query, signed_headers
from vivero_core.errors import BackendMisconfiguredError, BackendUnavailableError
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
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("first", ["localhost"])
    return made.certificate.read_text()


def test_a_server_that_is_away_is_unavailable(authority: str) -> None:
    transport = SmallTransport(Endpoint("https://127.0.0.1:1", "r", authority))
    with pytest.raises(BackendUnavailableError, match="no response"):
        transport.done(Call("GET", "/bucket"), LOGIN)
    transport.close()


def test_an_address_that_is_none_is_refused(authority: str) -> None:
    with pytest.raises(BackendMisconfiguredError):
        SmallTransport(Endpoint("http://127.0.0.1:7070", "r", authority))
