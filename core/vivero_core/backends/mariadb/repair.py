"""Compares everything that decides who has access to a tenant's schema with the desired state, and writes the difference."""

from collections.abc import Mapping
from typing import Final

import pymysql
from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import accounts, as_of, audit, replacement, rights, sessions, statements
from vivero_core.backends.mariadb.accounts import Attributes
from vivero_core.backends.mariadb.errors import ACCESS_DENIED, NO_SUCH_GRANT, NOT_ALLOWED, code_of
from vivero_core.backends.mariadb.rights import Account, Right
from vivero_core.model import naming

_ANY_HOST: Final = "%"


def ensure_database(cursor: Cursor, database: str) -> list[Correction]:
    return [*_ensure_schema(cursor, database), *_ensure_audit_log(cursor, database)]


def _ensure_audit_log(cursor: Cursor, database: str) -> list[Correction]:
    cursor.execute(*audit.find(database))
    if cursor.fetchone() is not None:
        return []
    cursor.execute(*audit.was_given(database))
    given = cursor.fetchone() is not None
    for statement in audit.make(database):
        cursor.execute(*statement)
    return [Correction.AUDIT_LOG if given else Correction.FIRST_AUDIT_LOG]


def _ensure_schema(cursor: Cursor, database: str) -> list[Correction]:
    cursor.execute(*statements.find_database(database))
    found = cursor.fetchone()
    if found is None:
        cursor.execute(*statements.create_database(database))
        return [Correction.DATABASE_SCHEMA]
    if found == (statements.CHARACTER_SET, statements.COLLATION):
        return []
    cursor.execute(*statements.set_defaults(database))
    return [Correction.DATABASE_CHARACTER_SET]


class UserRepair:
    """Brings one user into the desired state, and revokes unmanaged rights on its tenant.

    `own_attributes` are those that this server writes into every account and we do not know; it grows when some are
    discovered.
    """

    def __init__(
        self, cursor: Cursor, user: Credentials, database: str, max_connections: int, own_attributes: set[str]
    ) -> None:
        self._cursor = cursor
        self._user = user
        self._database = database
        self._max_connections = max_connections
        self._own_attributes = own_attributes
        self._account = Account(user.name, _ANY_HOST)
        # Each lives as long as a restore, and may have exactly one of these sets of rights.
        self._of_restores = {
            Account(name_checks.loading_user(database), _ANY_HOST): (replacement.wanted_grants(database),),
            Account(name_checks.viewing_user(database), _ANY_HOST): as_of.allowed_grants(database),
        }

    def ensure(self) -> list[Correction]:
        """What had to be written."""
        unmanaged = self._accounts()
        before = unmanaged.pop(self._account, None)
        for user_of_restore in self._restoring(unmanaged):
            del unmanaged[user_of_restore]
        account = before is None or not self._is_desired(before)
        if account:
            self._write(before)
        present = self._grants()
        grants, renewal = self._ensure_grants(present), self._renewal(present)
        if before is not None and (account or grants):
            if not self._stands():
                self._recreate()
            # Rights that were too many end with these sessions; the data plane never selects this schema.
            sessions.end_in(self._cursor, name_checks.audit_database(self._database), self._user.name)
        drop_accounts(self._cursor, unmanaged, kept=self._user.name)
        written = {
            Correction.DATABASE_USER: account,
            Correction.DATABASE_GRANTS: grants and renewal is None,
            Correction.FIRST_AUDIT_LOG: renewal is Correction.FIRST_AUDIT_LOG,
            Correction.FIRST_ROUTINES: renewal is Correction.FIRST_ROUTINES,
            Correction.UNMANAGED_DATABASE_ACCOUNT: bool(unmanaged),
            Correction.UNMANAGED_DATABASE_GRANTS: revoke_unmanaged(self._cursor, self._database, self._user.name),
        }
        return [correction for correction, was_written in written.items() if was_written]

    def _renewal(self, present: dict[str, frozenset[str]]) -> Correction | None:
        """What an earlier release, whose rights these are to the letter, did not know."""
        database = self._database
        if present in (statements.own_grants(database), statements.former_grants(database)):
            return Correction.FIRST_AUDIT_LOG
        return Correction.FIRST_ROUTINES if present == audit.former_grants(database) else None

    def _stands(self) -> bool:
        found = self._accounts().get(self._account)
        return found is not None and self._is_desired(found) and self._grants() == self._wanted_grants()

    def _restoring(self, found: Mapping[Account, Attributes]) -> list[Account]:
        """Users of restores: they may fill a schema beside the live one, or read one as of a second, and no more."""
        there = [(account, allowed) for account, allowed in self._of_restores.items() if account in found]
        return [account for account, allowed in there if self._grants(account.user) in allowed]

    def _recreate(self) -> None:
        """For an account with attributes that no other statement of ours removes."""
        user = self._user
        self._cursor.execute(*statements.replace_user(user.name, user.secret, self._max_connections))
        self._grant()
        self._own_attributes |= self._accounts().get(self._account, {}).keys() - self._wanted().keys()

    def _wanted(self) -> Attributes:
        return accounts.wanted(self._user.secret, self._max_connections)

    def _is_desired(self, found: Attributes) -> bool:
        known = accounts.without_rights(found)
        return {key: value for key, value in known.items() if key not in self._own_attributes} == self._wanted()

    def _accounts(self) -> dict[Account, Attributes]:
        """All accounts in the tenant's name."""
        self._cursor.execute(*rights.accounts_of(self._database))
        return {
            Account(str(user), str(host)): accounts.attributes(str(priv), int(lifetime))
            for user, host, priv, lifetime in self._cursor.fetchall()
        }

    def _write(self, before: Attributes | None) -> None:
        user = self._user
        if before is not None and accounts.UNREADABLE in before:
            statement = statements.replace_user(user.name, user.secret, self._max_connections)
        else:
            statement = statements.write_user(user.name, user.secret, self._max_connections, exists=before is not None)
        self._cursor.execute(*statement)

    def _wanted_grants(self) -> dict[str, frozenset[str]]:
        return audit.wanted_grants(self._database)

    def _grants(self, user: str | None = None) -> dict[str, frozenset[str]]:
        """Of this user; without one, of the tenant's own."""
        self._cursor.execute(*statements.show_grants(user or self._user.name))
        return statements.grants(str(row[0]) for row in self._cursor.fetchall())

    def _ensure_grants(self, present: dict[str, frozenset[str]]) -> bool:
        wanted = self._wanted_grants()
        if present == wanted:
            return False
        if any(privileges - wanted.get(scope, frozenset()) for scope, privileges in present.items()):
            self._cursor.execute(*statements.revoke_all(self._user.name))
        self._grant()
        return True

    def _grant(self) -> None:
        # Its own schema last: with it the data plane starts, and writes to both.
        self._cursor.execute(*audit.grant(self._user.name, self._database))
        self._cursor.execute(*statements.grant(self._user.name, self._database))


def drop_tenant(cursor: Cursor, database: str) -> bool:
    """Remove every account in the tenant's name and every right on its schemas, and end the connections."""
    cursor.execute(*rights.accounts_of(database))
    found = {Account(str(user), str(host)): accounts.attributes(str(priv)) for user, host, priv, _ in cursor.fetchall()}
    drop_accounts(cursor, found)
    of_restores = name_checks.loading_user(database), name_checks.viewing_user(database)
    for user in (*naming.database_users(database.removeprefix("vt")), *of_restores):
        # Also when it was gone: a crash between the two statements leaves connections.
        sessions.end(cursor, Account(user, _ANY_HOST))
    return revoke_unmanaged(cursor, database, None) or bool(found)


def drop_accounts(cursor: Cursor, found: Mapping[Account, Attributes], kept: str | None = None) -> None:
    """Drop accounts and end their connections; of the user `kept` those from that very host alone."""
    for account, stored in found.items():
        role = accounts.is_role(stored)
        cursor.execute(*rights.drop(account, role=role))
        if not role:
            host = account.host if account.user == kept else _ANY_HOST
            sessions.end(cursor, Account(account.user, host))


def revoke_unmanaged(cursor: Cursor, database: str, owner: str | None) -> bool:
    """Take every right on the tenant's schemas that is not its users'; True when there was one."""
    unmanaged = _unmanaged_rights(cursor, database, owner)
    for right in unmanaged:
        _revoke(cursor, right)
    left = _unmanaged_rights(cursor, database, owner) if unmanaged else []
    for right in left:  # the holder is no account: the server revokes nothing from it
        for statement in rights.erase(right):
            cursor.execute(*statement)
    if left:
        cursor.execute(*rights.RELOAD)
    for user in {right.holder.user for right in unmanaged if right.holder.user}:
        for schema in name_checks.schemas(database):
            sessions.end_in(cursor, schema, user)
    return bool(unmanaged)


def _unmanaged_rights(cursor: Cursor, database: str, owner: str | None) -> list[Right]:
    """Each once: a right on columns stands in two tables."""
    cursor.execute(*rights.rights_on(database, owner))
    found = (
        Right(Account(str(user), str(host)), kind, str(schema), str(name))
        for user, host, kind, schema, name in cursor.fetchall()
    )
    return list(dict.fromkeys(found))


def _revoke(cursor: Cursor, right: Right) -> None:
    codes = NO_SUCH_GRANT | ({NOT_ALLOWED} if right.kind == "PROXY" else set())
    try:
        for statement in rights.revoke(right):
            _tolerate(cursor, statement, codes)
    except pymysql.MySQLError as error:
        if code_of(error) not in ACCESS_DENIED or right.kind == "PROXY":
            raise
        for statement in rights.revoke_by_name(right):
            _tolerate(cursor, statement, codes)


def _tolerate(cursor: Cursor, statement: statements.Statement, codes: frozenset[int]) -> None:
    """Run it; an error with one of these numbers means that there was nothing to do."""
    try:
        cursor.execute(*statement)
    except pymysql.MySQLError as error:
        if code_of(error) not in codes:
            raise
