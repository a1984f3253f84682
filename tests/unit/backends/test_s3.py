from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.errors import from_answer
from vivero_core.backends.s3.transport import Endpoint, Transport, translated
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendMisconfiguredError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
    InvalidNameError,
)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", BackendRefusedError),
        (403, "SignatureDoesNotMatch", BackendAuthenticationError),
        (403, "InvalidAccessKeyId", BackendAuthenticationError),
        (404, "NoSuchBucket", BackendNotFoundError),
        (404, "", BackendRefusedError),
        (429, "", BackendUnavailableError),
        (500, "", BackendUnavailableError),
        (503, "SlowDown", BackendUnavailableError),
        (409, "BucketAlreadyExists", BackendRefusedError),
        (409, "BucketNotEmpty", BackendUnfinishedError),
        (409, "OperationAborted", BackendUnfinishedError),
        (500, "InternalError", BackendUnfinishedError),
    ],
)
def test_an_answer_says_what_a_caller_can_do(status: int, code: str, kind: type[BackendError]) -> None:
    error = from_answer("do a thing", status, code)
    assert type(error) is kind
    assert "s3: do a thing" in str(error)


def test_the_clients_errors_are_ours() -> None:
    response = {"Error": {"Code": "NoSuchBucket"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    with pytest.raises(BackendNotFoundError), translated("erase"):
        raise ClientError(response, "DeleteBucket")  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailableError), translated("erase"):
        raise ReadTimeoutError(endpoint_url="https://s3")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:7070",
        "127.0.0.1:7070",
        "https://",
        "https:///bucket",
        "https://exa mple:7070",
        f"https://{'x' * 64}:7070",
        "https://host..name",
        "https://host:99999",
        "https://host:port",
        "https://[::1",
        "https://user:password@host",
        "https://host/path",
        "https://host?query",
        "",
    ],
)
def test_an_endpoint_that_can_never_work_is_refused(authority: str, url: str) -> None:
    with pytest.raises(BackendMisconfiguredError, match=r"not a valid URL like|not a valid host name"):
        Transport(Endpoint(url, "us-east-1", authority))


@pytest.mark.parametrize("key", ["line\nbreak", "kлюч", "nul\0"])
def test_an_access_key_that_no_header_can_carry_is_refused(authority: str, key: str) -> None:
    with pytest.raises(BackendMisconfiguredError, match="access key"):
        VersityStorageAdmin(Endpoint("https://127.0.0.1:1", "us-east-1", authority), Credentials(key, "b"))


@pytest.mark.parametrize("read", [documents.parsed, documents.access, documents.keys])
@pytest.mark.parametrize("body", [b"", b"<html><p>busy", b"\xff"])
def test_an_answer_of_something_in_between_is_no_answer(read: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(BackendUnavailableError):
        read(body)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_a_secret_arrives_as_it_was(secret: str) -> None:
    (fields,) = [{one.tag: one.text or "" for one in documents.parsed(documents.changes(Credentials("a", secret)))}]
    assert fields["Secret"] == secret
    assert documents.is_plain(fields)


@given(name=st.text(max_size=20))
def test_no_call_with_another_name_leaves_the_process(name: str, authority: str) -> None:
    # Port 1 answers nobody: a call that got that far would be a BackendUnavailableError.
    admin = VersityStorageAdmin(Endpoint("https://127.0.0.1:1", "us-east-1", authority), Credentials("a", "b"))
    good = "vivero-aaaaaaaaaa"
    for call in (
        lambda: admin.ensure_account(Credentials(name, "x")),
        lambda: admin.ensure_bucket(name, good),
        lambda: admin.ensure_bucket(good, name),
        lambda: admin.prove(Credentials(good, "x"), name),
        lambda: admin.bucket_exists(name),
        lambda: admin.holds_data(name),
        lambda: admin.delete_bucket(name),
        lambda: admin.delete_account(name),
    ):
        with pytest.raises(InvalidNameError):
            call()
    admin.close()


def test_nobody_answering_is_unavailable(authority: str) -> None:
    admin = VersityStorageAdmin(Endpoint("https://127.0.0.1:1", "us-east-1", authority), Credentials("a", "b"))
    with pytest.raises(BackendUnavailableError, match="no response"):
        admin.bucket_exists("vivero-aaaaaaaaaa")
    admin.close()


def test_a_secret_is_not_in_a_repr() -> None:
    assert "hunter2" not in repr(Credentials("user", "hunter2"))
