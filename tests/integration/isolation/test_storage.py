"""One tenant's storage account, tried on another tenant's bucket."""

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import urllib3
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.transport import Call, Endpoint, Transport

MakeTenant = Callable[[], Any]


@pytest.fixture
def transport(storage_endpoint: Endpoint) -> Iterator[Transport]:
    transport = Transport(storage_endpoint)
    yield transport
    transport.close()


@pytest.fixture
def neighbour(new_tenant: MakeTenant, transport: Transport) -> Any:  # noqa: ANN401
    """A tenant with something to lose."""
    tenant = new_tenant()
    assert transport.signed(Call("PUT", f"/{tenant.bucket}/secret", b"private"), tenant.account).ok
    return tenant


POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
    '"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"]}]}'
)
DELETE = b"<Delete><Object><Key>secret</Key></Object></Delete>"

ATTEMPTS = [
    Call("GET", "/BUCKET"),
    Call("GET", "/BUCKET", query={"list-type": "2"}),
    Call("GET", "/BUCKET", query={"versions": ""}),
    Call("GET", "/BUCKET", query={"uploads": ""}),
    Call("GET", "/BUCKET", query={"acl": ""}),
    Call("GET", "/BUCKET", query={"policy": ""}),
    Call("PUT", "/BUCKET", query={"policy": ""}, body=POLICY.encode()),
    Call("PUT", "/BUCKET", query={"acl": ""}, headers={"x-amz-acl": "public-read-write"}),
    Call("HEAD", "/BUCKET"),
    Call("DELETE", "/BUCKET"),
    Call("PUT", "/BUCKET"),
    Call("GET", "/BUCKET/secret"),
    Call("HEAD", "/BUCKET/secret"),
    Call("GET", "/BUCKET/secret", query={"tagging": ""}),
    Call("PUT", "/BUCKET/secret", b"overwritten"),
    Call("PUT", "/BUCKET/mine", b"planted"),
    Call("DELETE", "/BUCKET/secret"),
    Call("POST", "/BUCKET", DELETE, {"delete": ""}),
    Call("POST", "/BUCKET/mine", query={"uploads": ""}),
    Call("PUT", "/OWN/copy", headers={"x-amz-copy-source": "/BUCKET/secret"}),
    Call("GET", "/OWN/..%2FBUCKET/secret"),
    Call("GET", "/OWN/%2e%2e/BUCKET/secret"),
]


def aimed(call: Call, own: str, bucket: str) -> Call:
    def put_names(text: str) -> str:
        return text.replace("BUCKET", bucket).replace("OWN", own)

    headers = {name: put_names(value) for name, value in call.headers.items()}
    assert isinstance(call.body, bytes)
    return Call(call.method, put_names(call.path), put_names(call.body.decode()).encode(), call.query, headers)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda call: f"{call.method} {call.path} {' '.join(call.query)}")
def test_a_call_on_anothers_bucket_is_refused(
    neighbour: Any,  # noqa: ANN401
    new_tenant: MakeTenant,
    transport: Transport,
    attempt: Call,
) -> None:
    intruder = new_tenant()
    answer = transport.signed(aimed(attempt, intruder.bucket, neighbour.bucket), intruder.account)
    assert answer.status in {400, 403, 404, 409}, answer
    assert b"private" not in answer.body
    kept = transport.signed(Call("GET", f"/{neighbour.bucket}/secret"), neighbour.account)
    assert kept.body == b"private"
    listing = ET.fromstring(transport.signed(Call("GET", f"/{neighbour.bucket}"), neighbour.account).body)  # noqa: S314
    assert [element.text for element in listing.iter() if element.tag.endswith("Key")] == ["secret"]


def test_an_account_lists_its_own_bucket_alone(neighbour: Any, new_tenant: MakeTenant, transport: Transport) -> None:  # noqa: ANN401
    intruder = new_tenant()
    listing = transport.signed(Call("GET", "/"), intruder.account).body.decode()
    assert intruder.bucket in listing
    assert neighbour.bucket not in listing


@pytest.mark.parametrize(
    "call",
    [
        Call("PUT", "/a-bucket-of-my-own"),
        Call("PATCH", "/list-users"),
        Call("PATCH", "/list-buckets"),
        Call("PATCH", "/create-user", b"<Account><Access>x</Access><Secret>y</Secret><Role>admin</Role></Account>"),
        Call("PATCH", "/update-user", b"<MutableProps><Role>admin</Role></MutableProps>", {"access": "OWN"}),
        Call("PATCH", "/delete-user", query={"access": "BUCKET"}),
        Call("PATCH", "/change-bucket-owner", query={"bucket": "BUCKET", "owner": "OWN"}),
        Call("PATCH", "/mine/create", headers={"x-vgw-owner": "OWN"}),
    ],
    ids=lambda call: f"{call.method} {call.path}",
)
def test_a_tenant_administers_nothing(
    neighbour: Any,  # noqa: ANN401
    new_tenant: MakeTenant,
    transport: Transport,
    call: Call,
) -> None:
    intruder = new_tenant()
    names = {"OWN": intruder.account.name, "BUCKET": neighbour.bucket}
    query = {key: names.get(value, value) for key, value in call.query.items()}
    headers = {key: names.get(value, value) for key, value in call.headers.items()}
    answer = transport.signed(Call(call.method, call.path, call.body, query, headers), intruder.account)
    assert answer.status == 403, answer
    assert transport.signed(Call("GET", f"/{neighbour.bucket}/secret"), neighbour.account).body == b"private"


def test_nobody_reads_without_a_signature_or_with_a_wrong_one(
    neighbour: Any,  # noqa: ANN401
    transport: Transport,
    storage_endpoint: Endpoint,
    platform: dict[str, Any],
) -> None:
    wrong = Credentials(neighbour.account.name, "wrong")
    assert transport.signed(Call("GET", f"/{neighbour.bucket}/secret"), wrong).status == 403
    with urllib3.PoolManager(ca_certs=platform["ca"], timeout=5.0) as http:
        for path in ("", f"/{neighbour.bucket}", f"/{neighbour.bucket}/secret"):
            assert http.request("GET", f"{storage_endpoint.url}{path}").status == 403


def test_a_connection_without_tls_is_refused(storage_endpoint: Endpoint) -> None:
    plain = storage_endpoint.url.replace("https://", "http://")
    with urllib3.PoolManager(timeout=5.0, retries=False) as http:
        try:
            answer = http.request("GET", plain)
        except urllib3.exceptions.HTTPError:
            return
        assert answer.status == 400
