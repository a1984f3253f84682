from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from vivero_core.backends import ttl_cache
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey import client as valkey_client
from vivero_core.backends.valkey.client import Server, ValkeyAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)

pytestmark = pytest.mark.alone  # compares surveys of the whole server, and has it forget users that are not saved

MakeTenant = Callable[[], Any]


def run(admin: ValkeyAdmin, *command: str) -> object:
    return admin._client.execute_command(*command)  # noqa: SLF001  a hand behind the operator's back


def test_a_user_is_made_once_and_proven(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    admin: CacheAdmin = cache_admin
    admin.ping()
    tenant = new_tenant()
    assert admin.user_exists(tenant.cache_user.name)
    assert admin.prove(tenant.cache_user) < 5000
    assert admin.ensure_user(tenant.cache_user) == []


OWN, USER, RIGHTS = Correction.CACHE_USER, Correction.UNMANAGED_CACHE_USER, Correction.UNMANAGED_CACHE_RIGHTS
READER = "backends-test-reader"
# `{u}` is the tenant's user; each line is the arguments of ACL SETUSER, or of another ACL command.
HANDS = [
    *(
        (f"SETUSER {{u}} {rules}", {OWN})
        for rules in (
            "off",
            "nopass",
            ">second",
            "resetpass",
            "skip-sanitize-payload",
            "+@all",
            "+scan",
            "+flushall",
            "+acl",
            "-get",
            "-@all",
            "allkeys",
            "~other:*",
            "%R~other:*",
            "resetkeys",
            "allchannels",
            "&other:*",
            "&{u}:*",
            "(+@all|~*)",
            "(+get|~{u}:*)",
            "reset",
        )
    ),
    ("DELUSER {u}", {OWN}),
    ("SETUSER {u}x on nopass +@all ~* &*", {USER}),
    ("SETUSER {u}x", {USER}),
    ("SETUSER {r} on >x +get ~{u}:*", {RIGHTS}),
    ("SETUSER {r} on >x +get %R~{u}:session:* ~own:*", {RIGHTS}),
    ("SETUSER {r} on >x +subscribe &{u}:* &own", {RIGHTS}),
    ("SETUSER {r} on >x +get ~own:* (+set|~{u}:*|~also:*)", {RIGHTS}),
    ("SETUSER {r} on >x +get ~own:* (+set|~{u}:*)", {RIGHTS}),
    ("SETUSER {n} ~{u}:*", {RIGHTS}),
]


@pytest.fixture
def reader(cache_admin: ValkeyAdmin) -> Iterator[str]:
    """A user that is no tenant's."""
    run(cache_admin, "ACL", "SETUSER", READER, "on", ">x", "+get")
    yield READER
    run(cache_admin, "ACL", "DELUSER", READER)


@pytest.mark.parametrize(("hand", "expected"), HANDS, ids=[hand for hand, _ in HANDS])
def test_a_change_is_seen_and_put_right(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, reader: str, hand: str, expected: set[Correction]
) -> None:
    tenant, neighbour = new_tenant(), new_tenant()
    name = tenant.cache_user.name
    before, again = cache_admin.survey(), cache_admin.survey()
    # Of these two alone: the operator may still be erasing what others made.
    assert [before[one.id] for one in (tenant, neighbour)] == [again[one.id] for one in (tenant, neighbour)]
    words = hand.format(u=name, r=reader, n=neighbour.cache_user.name).split(" ")
    run(cache_admin, "ACL", *(word.replace("|", " ") for word in words))
    changed = cache_admin.survey()
    assert before[tenant.id] != changed.get(tenant.id)
    assert set(cache_admin.ensure_user(tenant.cache_user)) == expected
    assert cache_admin.ensure_user(tenant.cache_user) == []
    after = cache_admin.survey()
    assert [after[one.id] for one in (tenant, neighbour)] == [before[one.id] for one in (tenant, neighbour)]
    cache_admin.prove(tenant.cache_user)
    assert cache_admin.ensure_user(neighbour.cache_user) == []
    run(cache_admin, "ACL", "LOAD")
    assert cache_admin.survey()[tenant.id] == before[tenant.id], "it was saved as well"


def test_a_hand_that_no_survey_saw_is_put_right_soon(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ttl_cache, "FRESH_SECONDS", 0.0)
    tenant = new_tenant()
    run(cache_admin, "ACL", "SETUSER", f"{tenant.cache_user.name}x", "on", "nopass", "+@all", "~*")
    assert cache_admin.ensure_user(tenant.cache_user) == [USER]


def test_what_is_not_about_one_tenant_stays(cache_admin: ValkeyAdmin, new_tenant: MakeTenant, reader: str) -> None:
    tenant = new_tenant()
    run(cache_admin, "ACL", "SETUSER", reader, "~vt*", "&*")
    before = cache_admin.survey()
    assert cache_admin.ensure_user(tenant.cache_user) == []
    assert cache_admin.survey()[tenant.id] == before[tenant.id]
    assert f"user {reader}" in str(run(cache_admin, "ACL", "LIST"))


def test_rules_of_an_earlier_release_are_renewed_and_a_hands_are_put_right(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    name, wanted = tenant.cache_user.name, cache_admin.survey()[tenant.id]
    login = ["reset", "on", f"#{acl.password_hash(tenant.cache_user.secret)}", f"~{name}:*", f"&{name}:*"]
    for rules in acl.FORMER:
        for hand, told in ((), Correction.CACHE_RULES), (("+scan",), OWN), (("nopass",), OWN):
            run(cache_admin, "ACL", "SETUSER", name, *login, *rules.split(), *hand)
            assert cache_admin.ensure_user(tenant.cache_user) == [told]
            assert cache_admin.ensure_user(tenant.cache_user) == []
            run(cache_admin, "ACL", "LOAD")
            assert cache_admin.survey()[tenant.id] == wanted, "it was saved as well"


def test_another_servers_spelling_of_our_rules_is_no_drift(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer one may hold a field more, and name commands otherwise: here our own expectation is what differs."""
    tenant, second = new_tenant(), new_tenant()
    monkeypatch.setattr(acl, "_FLAGS", frozenset({"on"}))
    monkeypatch.setattr(cache_admin, "_spelling", {})
    assert cache_admin.ensure_user(tenant.cache_user) == [OWN]
    assert cache_admin.ensure_user(tenant.cache_user) == []
    assert cache_admin.ensure_user(second.cache_user) == []
    run(cache_admin, "ACL", "SETUSER", second.cache_user.name, "nopass")
    assert cache_admin.ensure_user(second.cache_user) == [OWN]


def test_every_user_in_a_tenants_name_goes_with_it(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    tenant, neighbour = new_tenant(), new_tenant()
    run(cache_admin, "ACL", "SETUSER", f"{tenant.cache_user.name}x", "on", "nopass", "+@all", "~*")
    assert cache_admin.drop_user(tenant.cache_user.name)
    assert not cache_admin.drop_user(tenant.cache_user.name)
    assert tenant.id not in cache_admin.survey()
    assert cache_admin.inventory()[neighbour.id] == {"cache user"}
    assert tenant.id not in cache_admin.inventory()


def test_a_new_password_replaces_the_old(cache_admin: ValkeyAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    renewed = replace(tenant.cache_user, secret="spaces > and ünï")
    assert cache_admin.ensure_user(renewed) == [Correction.CACHE_USER]
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


def test_erasing_many_keys_takes_several_calls_that_go_on(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_client, "PAGE", 10)
    monkeypatch.setattr(valkey_client, "ERASURE_SECONDS", -1.0)
    tenant = new_tenant()
    for number in range(50):
        run(cache_admin, "SET", f"{tenant.prefix}{number}", "x")
    calls = 1
    while True:
        try:
            cache_admin.delete_keys(tenant.cache_user.name)
            break
        except BackendUnfinishedError as error:
            assert "continues at the next call" in str(error)  # noqa: PT017  the loop is the point
            calls += 1
    assert calls > 3
    monkeypatch.undo()
    assert cache_admin.delete_keys(tenant.cache_user.name) == 0


def test_where_erasing_goes_on_is_forgotten_when_the_server_was_restarted(
    cache_admin: ValkeyAdmin, new_tenant: MakeTenant
) -> None:
    """The order of keys is another after a restart."""
    tenant = new_tenant()
    for number in range(50):
        run(cache_admin, "SET", f"{tenant.prefix}{number}", "x")
    cache_admin._scans[tenant.cache_user.name] = ("an earlier run", 123456)  # noqa: SLF001
    assert cache_admin.delete_keys(tenant.cache_user.name) == 50


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
