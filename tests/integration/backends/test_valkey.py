from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.valkey import client as valkey_client
from vivero_core.backends.valkey.client import Server, ValkeyAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.errors import BackendAuthenticationError, BackendError, BackendRefusedError, BackendUnavailableError

MakeTenant = Callable[[], Any]


def run(admin: ValkeyAdmin, *command: str) -> object:
    return admin._client.execute_command(*command)  # type: ignore[no-untyped-call]  # noqa: SLF001  a hand behind the operator's back


def test_a_user_is_made_once_and_proven(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    admin: CacheAdmin = cache_admin
    admin.ping()
    tenant = new_tenant()
    assert admin.user_exists(tenant.cache_user.name)
    assert admin.prove(tenant.cache_user) < 5000
    assert not admin.ensure_user(tenant.cache_user)


@pytest.mark.parametrize(
    "rules",
    [
        ["off"],
        ["nopass"],
        ["+@all"],
        ["+scan"],
        ["-get"],
        ["allkeys"],
        ["~other:*"],
        ["resetkeys"],
        ["allchannels"],
        [">second"],
        ["resetpass"],
        ["(+@all ~*)"],
    ],
)
def test_drift_is_repaired(cache_admin: ValkeyAdmin, new_tenant: MakeTenant, rules: list[str]) -> None:
    tenant = new_tenant()
    run(cache_admin, "ACL", "SETUSER", tenant.cache_user.name, *rules)
    assert cache_admin.ensure_user(tenant.cache_user)
    assert not cache_admin.ensure_user(tenant.cache_user)
    cache_admin.prove(tenant.cache_user)


def test_a_new_password_replaces_the_old(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    renewed = replace(tenant.cache_user, secret="spaces > and ünï")
    assert cache_admin.ensure_user(renewed)
    cache_admin.prove(renewed)
    with pytest.raises(BackendAuthenticationError):
        cache_admin.prove(tenant.cache_user)


def test_users_outlive_a_restart(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    """ACL LOAD forgets what was not saved, as a restart would."""
    tenant = new_tenant()
    run(cache_admin, "ACL", "LOAD")
    cache_admin.prove(tenant.cache_user)
    cache_admin.drop_user(tenant.cache_user.name)
    run(cache_admin, "ACL", "LOAD")
    assert not cache_admin.user_exists(tenant.cache_user.name)


def test_keys_go_page_by_page_and_only_the_tenants(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_client, "PAGE", 10)
    tenant, neighbour = new_tenant(), new_tenant()
    for number in range(50):
        run(cache_admin, "SET", f"{tenant.prefix}{number}", "x")
    run(cache_admin, "SET", f"{neighbour.prefix}kept", "x")
    assert cache_admin.drop_user(tenant.cache_user.name)
    assert cache_admin.delete_keys(tenant.cache_user.name) == 50
    assert cache_admin.delete_keys(tenant.cache_user.name) == 0
    assert run(cache_admin, "GET", f"{neighbour.prefix}kept") == "x"


def test_erasing_many_keys_takes_several_calls(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_client, "ERASURE_SECONDS", -1.0)
    with pytest.raises(BackendUnavailableError, match="goes on"):
        cache_admin.delete_keys(new_tenant().cache_user.name)
    monkeypatch.undo()


def test_an_absent_server_a_foreign_certificate_and_a_wrong_login_are_told_apart(
    cache_server: Server, foreign_authority: str
) -> None:
    nobody = Credentials("vivero", "x")
    cases: list[tuple[Server, type[BackendError]]] = [
        (replace(cache_server, port=1), BackendUnavailableError),
        (replace(cache_server, authority=foreign_authority), BackendRefusedError),
        (cache_server, BackendAuthenticationError),
    ]
    for server, kind in cases:
        admin = ValkeyAdmin(server, nobody)
        with pytest.raises(kind):
            admin.user_exists("vtaaaaaaaaaa")
        admin.close()
