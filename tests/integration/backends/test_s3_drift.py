"""What a hand can change about a tenant on a real S3 server is seen, put right, and then seen as before."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from vivero_core.backends import ttl_cache
from vivero_core.backends.corrections import SECURITY_RELEVANT, Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import client
from vivero_core.backends.s3.buckets import PROBE, State
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.iam import IamStorageAdmin
from vivero_core.backends.s3.transport import Answer, Call, Endpoint, Transport
from vivero_core.backends.s3.versity import VersityAccounts
from vivero_core.errors import BackendError, BackendRefusedError, BackendUnfinishedError

pytestmark = pytest.mark.alone  # compares surveys of the whole server

MakeTenant = Callable[[], Any]
Hand = Callable[["Hands", Any, Any], object]

ACCOUNT, BUCKET, ACCESS = Correction.STORAGE_ACCOUNT, Correction.BUCKET, Correction.BUCKET_ACCESS
POLICY, VERSIONS, RETENTION = Correction.BUCKET_POLICY, Correction.BUCKET_VERSIONING, Correction.BUCKET_RETENTION


class Hands:
    """Of a person with the administrator's key."""

    def __init__(self, admin: VersityStorageAdmin) -> None:
        self.admin = admin

    def do(self, *call: Any, login: Credentials | None = None) -> Answer:  # noqa: ANN401  a Call's fields
        answer = self.admin._transport.signed(Call(*call), login or self.admin._admin)  # noqa: SLF001  behind the operator's back
        answer.raise_for("tamper")
        return answer

    def put(self, bucket: str, what: str, body: bytes) -> None:
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self.do("PUT", f"/{bucket}", body, {what: ""}, {"Content-MD5": digest})

    def update(self, account: str, fields: str) -> None:
        self.do("PATCH", "/update-user", f"<MutableProps>{fields}</MutableProps>".encode(), {"access": account})

    def acl(self, bucket: str, **headers: str) -> None:
        rule = b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
        self.put(bucket, "ownershipControls", rule)
        self.do("PUT", f"/{bucket}", b"", {"acl": ""}, {name.replace("_", "-"): text for name, text in headers.items()})

    def policy(self, bucket: str, principal: object) -> None:
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:*", "Resource": resources}
        self.do(
            "PUT",
            f"/{bucket}",
            json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode(),
            {"policy": ""},
        )

    def versions(self, bucket: str) -> None:
        status = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self.put(bucket, "versioning", status)

    def lock(self, bucket: str) -> None:
        self.versions(bucket)
        rule = b"<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
        enabled = b"<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
        self.put(bucket, "object-lock", b"<ObjectLockConfiguration>%b%b</ObjectLockConfiguration>" % (enabled, rule))


HANDS: dict[str, tuple[Hand, set[Correction]]] = {
    "account is an administrator's": (lambda h, t, _: h.update(t.bucket, "<Role>admin</Role>"), {ACCOUNT}),
    "account may make buckets": (lambda h, t, _: h.update(t.bucket, "<Role>userplus</Role>"), {ACCOUNT}),
    "account has another secret": (lambda h, t, _: h.update(t.bucket, "<Secret>stolen</Secret>"), {ACCOUNT}),
    "account has another user id": (lambda h, t, _: h.update(t.bucket, "<UserID>7</UserID>"), {ACCOUNT}),
    "account has another group": (lambda h, t, _: h.update(t.bucket, "<GroupID>7</GroupID>"), {ACCOUNT}),
    "account has another project": (lambda h, t, _: h.update(t.bucket, "<ProjectID>7</ProjectID>"), {ACCOUNT}),
    "account is gone": (lambda h, t, _: h.do("PATCH", "/delete-user", b"", {"access": t.bucket}), {ACCOUNT}),
    "bucket is another's": (lambda h, t, n: h.admin.ensure_bucket(t.bucket, n.bucket), {ACCESS}),
    "bucket is gone": (lambda h, t, _: h.do("DELETE", f"/{t.bucket}"), {BUCKET}),
    "acl is public": (lambda h, t, _: h.acl(t.bucket, x_amz_acl="public-read"), {ACCESS}),
    "acl is public for writing": (lambda h, t, _: h.acl(t.bucket, x_amz_acl="public-read-write"), {ACCESS}),
    "acl names a neighbour": (lambda h, t, n: h.acl(t.bucket, x_amz_grant_full_control=n.bucket), {ACCESS}),
    "acl lets a neighbour read": (lambda h, t, n: h.acl(t.bucket, x_amz_grant_read=n.bucket), {ACCESS}),
    "policy is public": (lambda h, t, _: h.policy(t.bucket, "*"), {POLICY}),
    "policy names a neighbour": (lambda h, t, n: h.policy(t.bucket, {"AWS": [n.bucket]}), {POLICY}),
    "keeps what is deleted": (lambda h, t, _: h.versions(t.bucket), {VERSIONS}),
    "forbids deleting": (lambda h, t, _: h.lock(t.bucket), {RETENTION}),
}


def ensure(admin: VersityStorageAdmin, tenant: Any) -> set[Correction]:  # noqa: ANN401  the login that `new_tenant` makes
    return {*admin.ensure_account(tenant.account), *admin.ensure_bucket(tenant.bucket, tenant.account.name)}


@pytest.mark.parametrize("name", HANDS)
def test_a_change_is_seen_and_put_right(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant, name: str) -> None:
    hand, expected = HANDS[name]
    tenant, neighbour = new_tenant(), new_tenant()
    before, again = storage_admin.survey(), storage_admin.survey()
    # Of these two alone: the operator may still be erasing what others made.
    assert [before[one.id] for one in (tenant, neighbour)] == [again[one.id] for one in (tenant, neighbour)]
    hand(Hands(storage_admin), tenant, neighbour)
    changed = storage_admin.survey()
    assert before[tenant.id] != changed.get(tenant.id)
    assert before[neighbour.id] == changed[neighbour.id]
    assert ensure(storage_admin, tenant) == expected
    assert ensure(storage_admin, tenant) == set()
    after = storage_admin.survey()
    assert [after[one.id] for one in (tenant, neighbour)] == [before[one.id] for one in (tenant, neighbour)]
    storage_admin.prove(tenant.account, tenant.bucket)
    with pytest.raises(BackendRefusedError):
        storage_admin.prove(neighbour.account, tenant.bucket)


def test_what_touches_access_is_called_so() -> None:
    assert {ACCOUNT, ACCESS, POLICY} <= SECURITY_RELEVANT
    assert not {BUCKET, VERSIONS, RETENTION} & SECURITY_RELEVANT


def test_a_role_that_no_survey_saw_is_put_right_soon(
    storage_admin: VersityStorageAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ttl_cache, "FRESH_SECONDS", 0.0)
    tenant = new_tenant()
    Hands(storage_admin).update(tenant.bucket, "<Role>admin</Role>")
    assert storage_admin.ensure_account(tenant.account) == [ACCOUNT]


@pytest.fixture
def own_admin(storage_endpoint: Endpoint, storage_admin: VersityStorageAdmin) -> Iterator[VersityStorageAdmin]:
    admin = VersityStorageAdmin(storage_endpoint, storage_admin._admin)  # noqa: SLF001
    yield admin
    admin.close()


def test_a_survey_of_many_buckets_takes_turns(
    own_admin: VersityStorageAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is complete before it counts; after that each reads some again, those read longest ago first."""
    tenants = [new_tenant() for _ in range(3)]
    accounts = own_admin._accounts  # noqa: SLF001
    assert isinstance(accounts, VersityAccounts)
    own, listed = {tenant.bucket for tenant in tenants}, accounts.listed

    def of_ours(path: str, element: str) -> list[dict[str, str]]:
        """Other buckets come and go meanwhile."""
        return [one for one in listed(path, element) if own & set(one.values())]

    monkeypatch.setattr(accounts, "listed", of_ours)
    monkeypatch.setattr(client, "SURVEY_SECONDS", -1.0)
    with pytest.raises(BackendUnfinishedError, match="continues at the next call"):
        own_admin.survey()
    monkeypatch.setattr(client, "SURVEY_SECONDS", 2.0)
    before = own_admin.survey()
    read: list[str] = []
    state = own_admin._buckets.state  # noqa: SLF001

    def slow(bucket: str) -> State | None:
        read.append(bucket)
        time.sleep(0.02)
        return state(bucket)

    monkeypatch.setattr(own_admin._buckets, "state", slow)  # noqa: SLF001
    monkeypatch.setattr(client, "SURVEY_SECONDS", 0.01)
    known = len(own_admin._seen)  # noqa: SLF001
    Hands(own_admin).policy(tenants[0].bucket, "*")
    surveys = [own_admin.survey() for _ in range(known)]
    assert len(set(read)) == known == len(read)
    assert surveys[-1][tenants[0].id] != before[tenants[0].id]
    assert surveys[-1][tenants[1].id] == before[tenants[1].id]
    read.clear()
    newcomer = new_tenant()
    own.add(newcomer.bucket)
    assert newcomer.id in own_admin.survey()
    assert read == [newcomer.bucket]


def test_a_bucket_that_cannot_be_read_hides_no_other(
    own_admin: VersityStorageAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = new_tenant(), new_tenant()
    before = own_admin.survey()
    state = own_admin._buckets.state  # noqa: SLF001

    def read(bucket: str) -> State | None:
        if bucket == broken.bucket:
            raise BackendUnfinishedError("s3", "InternalError (status 500)")
        return state(bucket)

    monkeypatch.setattr(own_admin._buckets, "state", read)  # noqa: SLF001
    Hands(own_admin).policy(whole.bucket, "*")
    after = own_admin.survey()
    assert after[broken.id] == before[broken.id]
    assert after[whole.id] != before[whole.id]


def test_the_inventory_says_what_is_there_of_whom(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant) -> None:
    whole, without_bucket, without_account = new_tenant(), new_tenant(), new_tenant()
    storage_admin.delete_bucket(without_bucket.bucket)
    storage_admin.delete_account(without_account.bucket)
    found = storage_admin.inventory()
    assert found[whole.id] == {"bucket", "storage account"}
    assert found[without_bucket.id] == {"storage account"}
    assert found[without_account.id] == {"bucket"}


def test_a_bucket_holds_data_once_it_has_an_object(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    hands = Hands(storage_admin)
    assert not storage_admin.holds_data(tenant.bucket)
    hands.do("PUT", f"/{tenant.bucket}/{PROBE}left", b"x", login=tenant.account)
    assert not storage_admin.holds_data(tenant.bucket)
    hands.do("PUT", f"/{tenant.bucket}/files/a", b"x", login=tenant.account)
    assert storage_admin.holds_data(tenant.bucket)
    hands.versions(tenant.bucket)
    hands.do("DELETE", f"/{tenant.bucket}/files/a", login=tenant.account)
    assert storage_admin.holds_data(tenant.bucket), "a version is left"
    storage_admin.delete_bucket(tenant.bucket)
    assert not storage_admin.holds_data(tenant.bucket)


@pytest.mark.parametrize("locked", [False, True])
def test_a_bucket_with_versions_and_locks_can_be_erased(
    storage_admin: VersityStorageAdmin, storage_endpoint: Endpoint, new_tenant: MakeTenant, *, locked: bool
) -> None:
    tenant = new_tenant()
    hands = Hands(storage_admin)
    hands.lock(tenant.bucket) if locked else hands.versions(tenant.bucket)
    transport = Transport(storage_endpoint)
    for _ in range(2):
        assert transport.signed(Call("PUT", f"/{tenant.bucket}/a", b"x"), tenant.account).ok
    transport.close()
    with suppress(BackendError):
        hands.do("DELETE", f"/{tenant.bucket}/a", login=tenant.account)
    assert storage_admin.delete_bucket(tenant.bucket)
    assert not storage_admin.bucket_exists(tenant.bucket)


@pytest.fixture
def plain_admin(storage_endpoint: Endpoint, storage_admin: VersityStorageAdmin) -> Iterator[IamStorageAdmin]:
    """Of a server without an admin API: buckets are the administrator's own. Nobody asks its IAM here."""
    admin = IamStorageAdmin(storage_endpoint, storage_admin._admin, "https://127.0.0.1:1")  # noqa: SLF001
    yield admin
    admin.close()


OF_PLAIN_BUCKETS = [name for name in HANDS if not name.startswith("account") and name != "bucket is another's"]


@pytest.mark.parametrize("name", OF_PLAIN_BUCKETS)
def test_a_bucket_in_plain_s3_is_put_right_too(
    plain_admin: IamStorageAdmin, storage_admin: VersityStorageAdmin, new_tenant: MakeTenant, name: str
) -> None:
    hand, expected = HANDS[name]
    tenant, neighbour = new_tenant(), new_tenant()
    storage_admin.delete_bucket(tenant.bucket)
    assert plain_admin.ensure_bucket(tenant.bucket, tenant.bucket) == [BUCKET]
    assert plain_admin.ensure_bucket(tenant.bucket, tenant.bucket) == []
    hand(Hands(storage_admin), tenant, neighbour)
    assert set(plain_admin.ensure_bucket(tenant.bucket, tenant.bucket)) == expected
    assert plain_admin.ensure_bucket(tenant.bucket, tenant.bucket) == []
    with pytest.raises(BackendRefusedError):
        storage_admin.prove(neighbour.account, tenant.bucket)
    assert plain_admin.delete_bucket(tenant.bucket)
    assert not plain_admin.bucket_exists(tenant.bucket)


def test_a_bucket_of_another_administrator_is_never_used(plain_admin: IamStorageAdmin, new_tenant: MakeTenant) -> None:
    """Names of buckets are the whole world's: somebody may have had it before."""
    tenant = new_tenant()
    with pytest.raises(BackendRefusedError, match="belongs to another AWS account"):
        plain_admin.ensure_bucket(tenant.bucket, tenant.bucket)
