"""Users of ElastiCache.

ElastiCache cannot be had here, and moto knows neither its user groups nor a change of a user. In its place stands a fake
of AWS' API behind botocore, which checks each call against the service's model and sends none, and applies what it was
told to the platform's Valkey, as ElastiCache applies it to a cache.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from integration.conftest import Login, new_login
from vivero_core.backends import ttl_cache
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.client import Server, ValkeyAdmin
from vivero_core.backends.valkey.elasticache import ElastiCacheAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.errors import BackendAuthenticationError, BackendUnavailableError, BackendUnfinishedError

Told = dict[str, Any]
GROUP = "tenants"
OWN, USER, RIGHTS = Correction.CACHE_USER, Correction.UNMANAGED_CACHE_USER, Correction.UNMANAGED_CACHE_RIGHTS


class RefusedError(Exception):
    """With AWS' code."""


def _refusal(code: str) -> tuple[SimpleNamespace, Told]:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return SimpleNamespace(status_code=400), answer


class Aws:
    """Users, one user group, and the cache that the group belongs to."""

    def __init__(self, cache: ValkeyAdmin) -> None:
        self.users: dict[str, Told] = {}
        self.passwords: dict[str, list[str]] = {}
        self.calls: list[str] = []
        self.refusals: list[str] = []
        """Codes that the next calls get in place of an answer."""
        self.busy = False
        """AWS takes its time: what is asked is noted, and not applied."""
        self._cache = cache

    def __call__(self, model: Any, params: Told, **_: object) -> tuple[SimpleNamespace, Told]:  # noqa: ANN401  botocore's
        """As a handler of botocore's `before-call`, with the parameters that it is about to send."""
        self.calls.append(model.name)
        if self.refusals:
            return _refusal(self.refusals.pop(0))
        try:
            return SimpleNamespace(status_code=200), getattr(self, model.name)(params["body"])
        except RefusedError as error:
            return _refusal(str(error))

    def CreateUser(self, sent: Told) -> Told:  # noqa: N802  AWS' name
        ident = sent["UserId"]
        if ident in self.users:
            raise RefusedError("UserAlreadyExists")
        self.users[ident] = {"UserId": ident, "UserName": sent["UserName"], "UserGroupIds": []}
        return self.ModifyUser(sent)

    def ModifyUser(self, sent: Told) -> Told:  # noqa: N802
        found = self._found(sent)
        found["AccessString"] = sent.get("AccessString", found.get("AccessString"))
        secrets = [value for key, value in sorted(sent.items()) if key.startswith("AuthenticationMode.Passwords")]
        if secrets:
            self.passwords[found["UserId"]] = secrets
            found["Authentication"] = {"Type": "password", "PasswordCount": len(secrets)}
        return self._applied(found)

    def DeleteUser(self, sent: Told) -> Told:  # noqa: N802
        found = self._found(sent)
        if self.busy:
            found["Status"] = "deleting"
            return found
        self._cache._client.execute_command("ACL", "DELUSER", found["UserName"])  # noqa: SLF001
        return self.users.pop(found["UserId"])

    def DescribeUsers(self, _: Told) -> Told:  # noqa: N802
        return {"Users": [dict(one) for one in self.users.values()]}

    def DescribeUserGroups(self, _: Told) -> Told:  # noqa: N802
        return {"UserGroups": [{"UserGroupId": GROUP, "Status": "modifying" if self.busy else "active"}]}

    def ModifyUserGroup(self, sent: Told) -> Told:  # noqa: N802
        if self.busy:
            raise RefusedError("InvalidUserGroupState")
        for key, value in sent.items():
            if key.startswith("UserIdsToAdd"):
                self.users[value]["UserGroupIds"] = [sent["UserGroupId"]]
                self._applied(self.users[value])
        return {"UserGroupId": GROUP, "Status": "modifying"}

    def finish(self) -> None:
        """AWS has applied all."""
        self.busy = False
        for one in list(self.users.values()):
            self.DeleteUser(one) if one["Status"] == "deleting" else self._applied(one)

    def _found(self, sent: Told) -> Told:
        if sent["UserId"] not in self.users:
            raise RefusedError("UserNotFound")
        return self.users[sent["UserId"]]

    def _applied(self, one: Told) -> Told:
        one["Status"] = "modifying" if self.busy else "active"
        if one["UserGroupIds"] == [GROUP] and not self.busy:
            passwords = [f">{secret}" for secret in self.passwords.get(one["UserId"], [])]
            rules = ["reset", *passwords, *one["AccessString"].split()]
            self._cache._client.execute_command("ACL", "SETUSER", one["UserName"], *rules)  # noqa: SLF001
        return dict(one)


@pytest.fixture
def aws(cache_admin: ValkeyAdmin) -> Iterator[Aws]:
    aws = Aws(cache_admin)
    yield aws
    aws.finish()
    for ident in list(aws.users):
        aws.DeleteUser({"UserId": ident})
    cache_admin._client.execute_command("ACL", "SAVE")  # noqa: SLF001  another test may have saved them


@pytest.fixture
def admin(
    platform: dict[str, Any], cache_server: Server, authority: str, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ElastiCacheAdmin]:
    monkeypatch.setattr(ttl_cache, "FRESH_SECONDS", 0.0)
    url = urlsplit(platform["valkey"]["url"])
    login = Credentials(url.username or "", url.password or "")
    api = Endpoint("https://127.0.0.1:1", "eu-central-1", authority)
    admin = ElastiCacheAdmin(cache_server, login, api, Credentials("AKIA", "secret"), GROUP)
    admin._aws.meta.events.register("before-call.elasticache", cast("Callable[..., None]", aws))  # noqa: SLF001
    with closing(admin):
        yield admin


def made(admin: ElastiCacheAdmin) -> Login:
    tenant = new_login()
    assert admin.ensure_user(tenant.cache_user) == [OWN]
    return tenant


def test_a_user_is_made_once_and_proven(admin: ElastiCacheAdmin, aws: Aws) -> None:
    client: CacheAdmin = admin
    client.ping()
    tenant = made(admin)
    assert aws.calls == ["DescribeUsers", "CreateUser", "ModifyUserGroup"]
    assert client.prove(tenant.cache_user) > 0
    assert client.ensure_user(tenant.cache_user) == []
    assert client.user_exists(tenant.cache_user.name)
    assert client.inventory()[tenant.id] == {"cache user"}


def test_its_rules_are_those_of_any_other_server(admin: ElastiCacheAdmin, cache_admin: ValkeyAdmin) -> None:
    """What AWS was told, applied to a real Valkey, is to the letter what the operator itself would have made."""
    tenant = made(admin)
    assert cache_admin.ensure_user(tenant.cache_user) == []


def another_password(aws: Aws, user: str) -> None:
    aws.ModifyUser({"UserId": user, "AuthenticationMode.Passwords.member.1": "stolen"})


def second_password(aws: Aws, user: str) -> None:
    given = aws.passwords[user][0]
    both = {"AuthenticationMode.Passwords.member.1": given, "AuthenticationMode.Passwords.member.2": "second"}
    aws.ModifyUser({"UserId": user, **both})


def no_password(aws: Aws, user: str) -> None:
    aws.users[user]["Authentication"] = {"Type": "no-password"}


def more_rights(aws: Aws, user: str) -> None:
    aws.ModifyUser({"UserId": user, "AccessString": "on ~* +@all"})


def out_of_the_group(aws: Aws, user: str) -> None:
    aws.users[user]["UserGroupIds"] = []


def gone(aws: Aws, user: str) -> None:
    aws.DeleteUser({"UserId": user})


def second_user(aws: Aws, user: str) -> None:
    aws.CreateUser({"UserId": "mallory", "UserName": f"{user}x", "AccessString": f"on ~{user}:* +@all"})


def rights_of_another(aws: Aws, user: str) -> None:
    access = f"on ~reports:* %R~{user}:* &{user}:* +@read (~{user}:secret +get)"
    aws.CreateUser({"UserId": "reader", "UserName": "elasticache-test-reader", "AccessString": access})


HANDS: dict[Callable[[Aws, str], None], set[Correction]] = {
    second_password: {OWN},
    no_password: {OWN},
    more_rights: {OWN},
    out_of_the_group: {OWN},
    gone: {OWN},
    second_user: {USER},
    rights_of_another: {RIGHTS},
}


@pytest.mark.parametrize("hand", HANDS)
def test_a_change_is_seen_and_put_right(admin: ElastiCacheAdmin, aws: Aws, hand: Callable[[Aws, str], None]) -> None:
    tenant, neighbour = made(admin), made(admin)
    before = admin.survey()
    assert before == admin.survey()
    hand(aws, tenant.cache_user.name)
    changed = admin.survey()
    assert changed.get(tenant.id) != before[tenant.id]
    assert changed[neighbour.id] == before[neighbour.id]
    assert set(admin.ensure_user(tenant.cache_user)) == HANDS[hand]
    assert admin.ensure_user(tenant.cache_user) == []
    assert admin.survey() == before
    admin.prove(tenant.cache_user)


def test_what_is_not_the_tenants_stays_with_who_had_its_rights(admin: ElastiCacheAdmin, aws: Aws) -> None:
    tenant = made(admin)
    rights_of_another(aws, tenant.cache_user.name)
    admin.ensure_user(tenant.cache_user)
    assert aws.users["reader"]["AccessString"] == "on ~reports:* +@read (+get)"


def test_another_password_is_noticed_by_trying_it(admin: ElastiCacheAdmin, aws: Aws) -> None:
    """AWS shows none: no survey can see it."""
    tenant = made(admin)
    another_password(aws, tenant.cache_user.name)
    with pytest.raises(BackendAuthenticationError):
        admin.prove(tenant.cache_user)
    assert admin.ensure_user(tenant.cache_user) == [OWN]
    admin.prove(tenant.cache_user)


def test_rules_that_aws_writes_in_another_way_are_no_drift(
    admin: ElastiCacheAdmin, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = aws._applied  # noqa: SLF001

    def spelled(one: Told) -> Told:
        rules = one["AccessString"].removeprefix("on ").removeprefix("sanitize-payload ")
        one["AccessString"] = f"on sanitize-payload {rules}"
        return applied(one)

    monkeypatch.setattr(aws, "_applied", spelled)
    tenant, other = made(admin), made(admin)
    assert admin.ensure_user(tenant.cache_user) == []
    assert admin.ensure_user(other.cache_user) == []


def test_one_change_of_the_group_at_a_time_takes_all_that_wait(admin: ElastiCacheAdmin, aws: Aws) -> None:
    tenants = [new_login() for _ in range(3)]
    aws.busy = True
    for tenant in tenants:
        with pytest.raises(BackendUnfinishedError, match="InvalidUserGroupState"):
            admin.ensure_user(tenant.cache_user)
    aws.finish()
    aws.calls.clear()
    assert admin.ensure_user(tenants[0].cache_user) == [OWN]
    for tenant in tenants:
        assert admin.ensure_user(tenant.cache_user) == []
        admin.prove(tenant.cache_user)
    assert aws.calls.count("ModifyUserGroup") == 1


def test_what_aws_still_applies_is_waited_for(admin: ElastiCacheAdmin, aws: Aws) -> None:
    tenant = made(admin)
    aws.busy = True
    more_rights(aws, tenant.cache_user.name)
    assert admin.ensure_user(tenant.cache_user) == []
    aws.finish()
    assert admin.ensure_user(tenant.cache_user) == [OWN]
    another_password(aws, tenant.cache_user.name)
    aws.busy = True
    with pytest.raises(BackendUnfinishedError, match="applying"):
        admin.ensure_user(tenant.cache_user)


def test_a_user_is_gone_when_aws_has_deleted_it(admin: ElastiCacheAdmin, aws: Aws) -> None:
    """Only then are its keys removed: until then it may write."""
    tenant = made(admin)
    second_user(aws, tenant.cache_user.name)
    aws.busy = True
    with pytest.raises(BackendUnfinishedError, match="deleting"):
        admin.drop_user(tenant.cache_user.name)
    aws.finish()
    assert not admin.drop_user(tenant.cache_user.name)
    assert tenant.id not in admin.inventory()
    with pytest.raises(BackendAuthenticationError):
        admin.prove(tenant.cache_user)
    other = made(admin)
    assert admin.drop_user(other.cache_user.name)
    assert admin.delete_keys(other.cache_user.name) == 0


def test_who_is_throttled_is_told_to_come_later(admin: ElastiCacheAdmin, aws: Aws) -> None:
    tenant = made(admin)
    aws.refusals = ["Throttling"] * 5
    with pytest.raises(BackendUnavailableError, match="Throttling"):
        admin.ensure_user(tenant.cache_user)
    aws.refusals.clear()
    assert admin.ensure_user(tenant.cache_user) == []


def test_an_access_string_says_what_the_rules_say() -> None:
    user = new_login().cache_user.name
    rules = acl.rules(acl.wanted(user, "x"))
    assert acl.access_string(user).split() == [rule for rule in rules if rule != "reset" and not rule.startswith("#")]
