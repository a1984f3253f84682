import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import erasure
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.backends.s3.transport import Answer, Call, Endpoint, Transport
from vivero_core.backends.tally import tally
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)
from vivero_core.model import naming

MakeTenant = Callable[[], Any]


def test_a_tenant_is_made_once_and_proven(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant) -> None:
    admin: StorageAdmin = storage_admin
    admin.ping()
    tenant = new_tenant()
    assert admin.prove(tenant.account, tenant.bucket) < 5000
    assert admin.bucket_exists(tenant.bucket)
    assert admin.ensure_account(tenant.account) == []
    assert admin.ensure_bucket(tenant.bucket, tenant.account.name) == []


def test_its_contents_are_counted_and_hashed(
    storage_admin: VersityStorageAdmin, storage_endpoint: Endpoint, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    assert storage_admin.contents(tenant.bucket) == tally(())
    keys = ["b/1", "a", "b-1"]
    for key in keys:
        call = Call("PUT", f"/{tenant.bucket}/{key}", b"x")
        Transport(storage_endpoint).signed(call, tenant.account).raise_for("put")
    assert storage_admin.contents(tenant.bucket) == tally(sorted(keys, key=str.encode))
    assert storage_admin.contents("vivero-" + "a" * 10) == tally(())


def test_a_new_secret_replaces_the_old(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    renewed = replace(tenant.account, secret='angle <b> & "quote" ünï')
    assert storage_admin.ensure_account(renewed)
    storage_admin.prove(renewed, tenant.bucket)
    with pytest.raises(BackendAuthenticationError):
        storage_admin.prove(tenant.account, tenant.bucket)


def test_a_key_that_the_client_made_up_replaces_the_old(
    storage_admin: VersityStorageAdmin, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    key = storage_admin.new_key(tenant.bucket)
    assert storage_admin.ensure_account(Credentials(tenant.bucket, key.secret), key.name)
    storage_admin.prove(key, tenant.bucket)
    with pytest.raises(BackendAuthenticationError):
        storage_admin.prove(tenant.account, tenant.bucket)


def test_an_account_that_nobody_made_is_unknown_whatever_was_asked_before(
    storage_admin: VersityStorageAdmin, storage_endpoint: Endpoint, new_tenant: MakeTenant
) -> None:
    """A cache of versitygw 1.8 gives an account the name that a later request brings, in one of 128 cases."""
    known = new_tenant().account
    transport = Transport(storage_endpoint)

    def change(account: str) -> Answer:
        role = b"<MutableProps><Role>user</Role></MutableProps>"
        return transport.signed(Call("PATCH", "/update-user", role, {"access": account}), storage_admin._admin)  # noqa: SLF001

    for number in range(600):
        stranger = naming.bucket_name(naming.tenant_id(str(uuid.UUID(int=number))))
        assert change(known.name).ok
        assert change(stranger).code == "XAdminUserNotFound"
        assert transport.signed(Call("GET", "/"), Credentials(stranger, "any")).code == "InvalidAccessKeyId"
    transport.close()


def test_a_bucket_of_someone_else_is_given_back(storage_admin: VersityStorageAdmin, new_tenant: MakeTenant) -> None:
    tenant, thief = new_tenant(), new_tenant()
    assert storage_admin.ensure_bucket(tenant.bucket, thief.account.name)
    assert storage_admin.ensure_bucket(tenant.bucket, tenant.account.name)
    storage_admin.prove(tenant.account, tenant.bucket)
    with pytest.raises(BackendRefusedError):
        storage_admin.prove(thief.account, tenant.bucket)


def test_a_bucket_needs_an_account(storage_admin: VersityStorageAdmin) -> None:
    with pytest.raises(BackendError):
        storage_admin.ensure_bucket("vivero-aaaaaaaaaa", "vivero-aaaaaaaaaa")
    assert not storage_admin.bucket_exists("vivero-aaaaaaaaaa")


def test_a_bucket_goes_with_all_it_holds(
    storage_admin: VersityStorageAdmin,
    storage_endpoint: Endpoint,
    new_tenant: MakeTenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasure, "PAGE", 3)
    tenant = new_tenant()
    transport = Transport(storage_endpoint)
    for number in range(8):
        path = f"/{tenant.bucket}/folder-{number % 2}/file-{number}"
        assert transport.signed(Call("PUT", path, b"content"), tenant.account).ok
    start = Call("POST", f"/{tenant.bucket}/unfinished", query={"uploads": ""})
    assert transport.signed(start, tenant.account).ok
    assert storage_admin.delete_bucket(tenant.bucket)
    assert not storage_admin.bucket_exists(tenant.bucket)
    assert not storage_admin.delete_bucket(tenant.bucket)
    assert storage_admin.delete_account(tenant.account.name)
    assert not storage_admin.delete_account(tenant.account.name)
    assert not transport.signed(Call("GET", "/"), tenant.account).ok
    transport.close()


def test_erasing_a_large_bucket_takes_several_calls(
    storage_admin: VersityStorageAdmin,
    storage_endpoint: Endpoint,
    new_tenant: MakeTenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 1)
    monkeypatch.setattr("vivero_core.backends.s3.client.ERASURE_SECONDS", -1.0)
    tenant = new_tenant()
    transport = Transport(storage_endpoint)
    for number in range(2):
        assert transport.signed(Call("PUT", f"/{tenant.bucket}/{number}", b"x"), tenant.account).ok
    transport.close()
    for _ in range(2):
        with pytest.raises(BackendUnfinishedError, match="continues at the next call"):
            storage_admin.delete_bucket(tenant.bucket)
    assert storage_admin.delete_bucket(tenant.bucket)


def test_an_absent_server_a_foreign_certificate_and_a_wrong_login_are_told_apart(
    storage_endpoint: Endpoint, foreign_authority: str
) -> None:
    nobody = Credentials("vivero", "x")
    cases: list[tuple[Endpoint, type[BackendError]]] = [
        (replace(storage_endpoint, url="https://127.0.0.1:1"), BackendUnavailableError),
        (replace(storage_endpoint, authority=foreign_authority), BackendRefusedError),
        (storage_endpoint, BackendAuthenticationError),
    ]
    for endpoint, kind in cases:
        admin = VersityStorageAdmin(endpoint, nobody)
        with pytest.raises(kind):
            admin.bucket_exists("vivero-aaaaaaaaaa")
        admin.close()
