"""Accounts and bucket owners of versitygw, through its admin API.

That API is a handful of signed PATCH requests on the same port. Whether an account's secret is the desired one is asked
as that account (one ListBuckets). Its role can only be read from a list of all accounts, which costs more with every
tenant: many calls share one for a moment, and of it nothing is kept but the names of those that differ.
"""

import secrets
from collections.abc import Iterable

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.errors import UNKNOWN_ACCOUNT, WRONG_SECRET
from vivero_core.backends.s3.protocol import PREFIX
from vivero_core.backends.s3.transport import Call, Transport
from vivero_core.backends.survey import Fact, tenant_in, tenant_of
from vivero_core.backends.ttl_cache import TtlCache


class VersityAccounts:
    """Implements `Accounts`; an account has one key, which is its name."""

    def __init__(self, transport: Transport, admin: Credentials) -> None:
        self._transport = transport
        self._admin = admin
        self._odd = TtlCache(lambda: _odd(self.listed("/list-users", "Accounts")))

    def new_key(self, account: str) -> Credentials:
        """The server takes any secret."""
        return Credentials(account, secrets.token_hex(32))

    def ensure(self, account: Credentials, access_key: str | None) -> list[Correction]:  # noqa: ARG002  it is the name
        answer = self._transport.signed(Call("GET", "/"), account)
        if answer.code == UNKNOWN_ACCOUNT:
            self._administer(Call("PATCH", "/create-user", documents.account(account)))
        elif answer.code == WRONG_SECRET or (answer.ok and account.name in self._odd.get()):
            query = {"access": account.name}
            self._administer(Call("PATCH", "/update-user", documents.changes(account), query))
            self._odd.invalidate()
        else:
            answer.raise_for(f"log in as {account.name}")
            return []
        return [Correction.STORAGE_ACCOUNT]

    def names(self) -> Iterable[str]:
        return [one.get("Access", "") for one in self.listed("/list-users", "Accounts")]

    def facts(self) -> list[Fact]:
        accounts = self.listed("/list-users", "Accounts")
        self._odd.put(_odd(accounts))
        return [(tenant_in(one.get("Access", ""), PREFIX), sorted(one.items())) for one in accounts]

    def look(self, account: str) -> object:  # noqa: ARG002  the list tells all
        return None

    def buckets(self) -> dict[str, str | None]:
        return {one.get("Name", ""): one.get("Owner") for one in self.listed("/list-buckets", "Buckets")}

    def delete(self, account: str) -> bool:
        """The admin API says success for an unknown account too, so that is asked first."""
        nobody = Credentials(account, secrets.token_hex(16))
        if self._transport.signed(Call("GET", "/"), nobody).code == UNKNOWN_ACCOUNT:
            return False
        self._administer(Call("PATCH", "/delete-user", query={"access": account}))
        return True

    def create(self, bucket: str, owner: str) -> None:
        self._administer(Call("PATCH", f"/{bucket}/create", headers={"x-vgw-owner": owner}))

    def wanted(self, owner: str) -> documents.Access:
        return documents.Access(owner, frozenset())

    def give(self, bucket: str, owner: str, present: documents.Access) -> None:  # noqa: ARG002  whoever had it
        """It also takes every grant to others away."""
        self._administer(Call("PATCH", "/change-bucket-owner", query={"bucket": bucket, "owner": owner}))

    def listed(self, path: str, element: str) -> list[dict[str, str]]:
        """A list of the admin API, each entry's fields by name."""
        return documents.entries(self._transport.done(Call("PATCH", path), self._admin).body, element)

    def _administer(self, call: Call) -> None:
        self._transport.done(call, self._admin)


def _odd(accounts: Iterable[dict[str, str]]) -> frozenset[str]:
    """Accounts in a tenant's name that may do more than, or something else than, ours."""
    named = ((one.get("Access", ""), one) for one in accounts)
    return frozenset(name for name, one in named if tenant_of(name, PREFIX) and not documents.is_plain(one))
