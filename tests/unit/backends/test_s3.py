import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.errors import from_answer, translated
from vivero_core.backends.s3.transport import Endpoint, Transport
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
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


def test_an_endpoint_without_tls_is_refused(authority: str) -> None:
    with pytest.raises(BackendRefusedError, match="https"):
        Transport(Endpoint("http://127.0.0.1:7070", "us-east-1", authority))


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
        lambda: admin.delete_bucket(name),
        lambda: admin.delete_account(name),
    ):
        with pytest.raises(InvalidNameError):
            call()
    admin.close()


def test_nobody_answering_is_unavailable(authority: str) -> None:
    admin = VersityStorageAdmin(Endpoint("https://127.0.0.1:1", "us-east-1", authority), Credentials("a", "b"))
    with pytest.raises(BackendUnavailableError, match="no answer"):
        admin.bucket_exists("vivero-aaaaaaaaaa")
    admin.close()


def test_a_secret_is_not_in_a_repr() -> None:
    assert "hunter2" not in repr(Credentials("user", "hunter2"))
