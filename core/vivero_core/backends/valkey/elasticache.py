"""CacheAdmin for ElastiCache: users are AWS', keys are the cache's.

ElastiCache refuses ACL commands. Users are made by an API of AWS, and can log in once they are in the user group that
belongs to the cache; AWS applies both within seconds or minutes, and one change of a group at a time. A password is
never shown, so whether it is the desired one is asked as that user. All users come in one call, which many share for a
moment, as AWS counts the calls of an account.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.transport import Endpoint, Transport, translated
from vivero_core.backends.survey import Inventory, Survey, digests, holdings, tenant_of
from vivero_core.backends.ttl_cache import TtlCache
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.client import Server, ValkeyKeys
from vivero_core.backends.valkey.errors import SYSTEM
from vivero_core.errors import BackendAuthenticationError, BackendUnfinishedError

if TYPE_CHECKING:
    from types_boto3_elasticache.client import ElastiCacheClient
    from types_boto3_elasticache.type_defs import AuthenticationModeTypeDef, UserTypeDef

ATTEMPTS: Final = 3
"""Of a call that AWS throttles, with botocore's back-off; the circuit breaker's follows."""
_ACTIVE: Final = "active"
_PREFIX: Final = "vt"
_NAME: Final = "vtaaaaaaaaaa"
"""In place of any tenant's name."""


@dataclass(frozen=True, slots=True)
class User:
    """What AWS tells of a user.

    Attributes:
        name: what it logs in with.
        access: its rules.
        groups: the caches that it can log in to are these groups'.
        passwords: how many; 0 where it logs in in another way, or without any.
        settled: whether AWS has applied all that was asked.
    """

    name: str
    access: str
    groups: frozenset[str]
    passwords: int
    settled: bool

    @property
    def line(self) -> str:
        """As ACL LIST would have it."""
        return f"user {self.name} {self.access}"


def user(told: "UserTypeDef") -> User:
    authentication = told.get("Authentication", {})
    by_password = authentication.get("Type") == "password"
    return User(
        name=told.get("UserName", ""),
        access=told.get("AccessString", ""),
        groups=frozenset(told.get("UserGroupIds", [])),
        passwords=authentication.get("PasswordCount", 0) if by_password else 0,
        settled=told.get("Status") == _ACTIVE,
    )


class ElastiCacheAdmin(ValkeyKeys):
    """Implements `CacheAdmin`; one for the life of the program."""

    def __init__(self, server: Server, admin: Credentials, api: Endpoint, login: Credentials, group: str) -> None:
        """`admin` logs in to the cache, `login` is an access key of AWS."""
        super().__init__(server, admin)
        self._transport = Transport(api, SYSTEM)
        self._login = login
        self._group = group
        self._users = TtlCache(self._listed)
        self._spelled = acl.access_string(_NAME)  # how AWS writes our rules
        self._made: ElastiCacheClient | None = None
        self._making = threading.Lock()

    def close(self) -> None:
        super().close()
        self._transport.close()

    def ensure_user(self, user: Credentials) -> list[Correction]:
        name_checks.cache_user(user.name)
        users = self._users.get()
        written = None
        try:
            with translated(f"set up ElastiCache user {user.name}", SYSTEM):
                written = self._ensure_own(user, users) + self._ensure_alone(user.name, users)
        finally:
            if written != []:  # also when it was written in part
                self._users.invalidate()
        return written

    def user_exists(self, user: str) -> bool:
        return name_checks.cache_user(user) in self._listed()

    def survey(self) -> Survey:
        users = self._listed()
        self._users.put(users)
        facts = ((ident, one) for one in users.items() for ident in acl.tenants_in(one[1].line))
        return digests((ident, (key, one.access, sorted(one.groups), one.passwords)) for ident, (key, one) in facts)

    def inventory(self) -> Inventory:
        return holdings((tenant_of(name, _PREFIX), "cache user") for name in self._listed())

    def drop_user(self, user: str) -> bool:
        """AWS takes it out of its groups, and ends its connections.

        Raises:
            BackendUnfinishedError: it is not gone yet, and may still write.
        """
        name_checks.cache_user(user)
        found = [key for key, one in self._listed().items() if one.name.startswith(user)]
        if not found:
            return False
        with translated(f"delete ElastiCache user {user}", SYSTEM):
            for key in found:
                self._delete(key)
        self._users.invalidate()
        if any(one.name.startswith(user) for one in self._listed().values()):
            raise BackendUnfinishedError(SYSTEM, f"AWS is deleting ElastiCache user {user}")
        return True

    def _ensure_own(self, user: Credentials, users: Mapping[str, User]) -> list[Correction]:
        name, present = user.name, users.get(user.name)
        access, password = acl.access_string(name), _by_password(user)
        if present is None:
            made = self._aws.create_user(
                UserId=name, UserName=name, Engine="valkey", AccessString=access, AuthenticationMode=password
            )
            self._learn(name, made["AccessString"])
        elif self._differs(user, present):
            made = self._aws.modify_user(UserId=name, AccessString=access, AuthenticationMode=password)
            self._learn(name, made["AccessString"])
        elif self._group in present.groups:
            return []
        if present is None or self._group not in present.groups:
            # With all that wait for it: a change takes AWS its time, and the next one waits for it.
            waiting = [key for key, one in users.items() if tenant_of(one.name, _PREFIX) and self._may_join(one)]
            self._aws.modify_user_group(UserGroupId=self._group, UserIdsToAdd=sorted({name, *waiting}))
        return [Correction.CACHE_USER]

    def _may_join(self, user: User) -> bool:
        return user.settled and self._group not in user.groups

    def _differs(self, user: Credentials, present: User) -> bool:
        """What AWS still applies is compared when it has; whether the password is right, the cache itself says."""
        if not present.settled:
            return False
        if present.passwords != 1 or not self._is_ours(user.name, present.access):
            return True
        return self._group in present.groups and not self._can_login(user)

    def _learn(self, name: str, access: str) -> None:
        self._spelled = access.replace(name, _NAME)

    def _is_ours(self, name: str, access: str) -> bool:
        """AWS may write rules in another way than they were sent."""
        return access in (acl.access_string(name), self._spelled.replace(_NAME, name))

    def _can_login(self, user: Credentials) -> bool:
        """False once the cache has heard of all users of the group, and refuses this login."""
        try:
            self.prove(user)
        except BackendAuthenticationError:
            (group,) = self._aws.describe_user_groups(UserGroupId=self._group)["UserGroups"]
            if group["Status"] != _ACTIVE:
                raise BackendUnfinishedError(SYSTEM, f"AWS is applying user group {self._group}") from None
            return False
        return True

    def _ensure_alone(self, user: str, users: Mapping[str, User]) -> list[Correction]:
        """Delete other users in the tenant's name; take its patterns from all others."""
        ident = user.removeprefix(_PREFIX)
        others = {key: one for key, one in users.items() if key != user and ident in acl.tenants_in(one.line)}
        named = [key for key, one in others.items() if one.name.startswith(user)]
        for key in named:
            self._delete(key)
        for key in others.keys() - set(named):
            self._aws.modify_user(UserId=key, AccessString=acl.without_patterns(user, others[key].access))
        rights = len(others) > len(named)
        return [Correction.UNMANAGED_CACHE_USER] * bool(named) + [Correction.UNMANAGED_CACHE_RIGHTS] * rights

    def _delete(self, key: str) -> None:
        try:
            self._aws.delete_user(UserId=key)
        except self._aws.exceptions.UserNotFoundFault:
            return

    def _listed(self) -> dict[str, User]:
        """By id; of another engine and of Redis too, for a group may hold them."""
        with translated("list the ElastiCache users", SYSTEM):
            pages = self._aws.get_paginator("describe_users").paginate()
            return {one["UserId"]: user(one) for page in pages for one in page["Users"]}

    @property
    def _aws(self) -> "ElastiCacheClient":
        with self._making:
            if self._made is None:
                self._made = self._new_client()
            return self._made

    def _new_client(self) -> "ElastiCacheClient":
        from boto3.session import Session  # noqa: PLC0415  heavy, and of nobody else's use
        from botocore.config import Config  # noqa: PLC0415

        client = Session().client(
            "elasticache",
            endpoint_url=self._transport.endpoint.url,
            region_name=self._transport.endpoint.region,
            aws_access_key_id=self._login.name,
            aws_secret_access_key=self._login.secret,
            config=Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}),
        )
        client.meta.events.register("before-send.elasticache", self._transport.client_handler())
        return client


def _by_password(user: Credentials) -> "AuthenticationModeTypeDef":
    return {"Type": "password", "Passwords": [user.secret]}
