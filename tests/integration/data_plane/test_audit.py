"""Where the audit log is: in a schema of its own once there is one, with every entry from before."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from integration.data_plane.workspace import OWNER, Workspace
from vivero_core.backends.mariadb import audit as made
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.model.naming import audit_database_name
from vivero_data.db.database import Database
from vivero_data.db.errors import DatabaseError
from vivero_data.domain.audit import service
from vivero_data.domain.audit.schemas import AuditEntry, AuditQuery
from vivero_data.domain.audit.service import AuditLogError, AuditService, record
from vivero_data.domain.health.repository import check_isolation, prove
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.errors import IsolationError

NewWorkspace = Callable[..., Awaitable[Workspace]]
READER = Actor(1, OWNER, "Olive", Role.OWNER, 1)


@pytest.fixture
async def older(new_workspace: NewWorkspace) -> Workspace:
    """As from before there was a second schema, with some entries."""
    workspace = await new_workspace(own_audit_log=True)
    for name in ("Contacts", "Orders"):
        await workspace.collection(await workspace.login(), name=name)
    return workspace


@pytest.fixture
async def database(older: Workspace) -> AsyncIterator[Database]:
    """The same workspace's, as its next program is told of it."""
    secret = msgspec.structs.replace(older.settings.database, audit=audit_database_name(older.settings.env.tenant_id))
    made = Database(secret, older.settings.tls(), 3)
    await made.open(10)
    yield made
    await made.close()


async def log(of: Database) -> list[AuditEntry]:
    return (await AuditService(of).list(READER, AuditQuery(limit=200))).items


def numbers(entries: list[AuditEntry]) -> list[int]:
    return [one.id for one in entries]


def contents(entries: list[AuditEntry]) -> list[AuditEntry]:
    """Without their numbers, in an order of no meaning."""
    return sorted((msgspec.structs.replace(one, id=0) for one in entries), key=repr)


def take(admin: MariaDbAdmin, workspace: Workspace, right: str) -> None:
    schema, user = audit_database_name(workspace.settings.env.tenant_id), workspace.settings.database.username
    with admin._session("take a right") as cursor:  # noqa: SLF001  a hand behind the operator's back
        cursor.execute(f"REVOKE {right} ON `{schema}`.* FROM `{user}`")


async def test_entries_are_beside_the_own_schema_and_go_with_a_transaction_that_fails(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner)
    services = workspace.app.state.services
    before = await log(services.database)
    assert "collection.create" in {entry.action for entry in before}
    async with services.database.read() as connection:
        assert await connection.fetch_all("SELECT * FROM audit_log") == []

    async def break_off() -> None:
        async with services.database.transaction() as tx:
            await record(tx, READER, "record.create", "Contacts/1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await log(services.database) == before


async def test_old_entries_come_along_with_their_numbers(older: Workspace, database: Database) -> None:
    before = await log(older.app.state.services.database)
    assert len(before) > 2
    await AuditService(database).open()
    assert await log(database) == before
    assert await log(older.app.state.services.database) == []
    async with database.transaction() as tx:
        await record(tx, READER, "record.create", "Contacts/1")
    assert numbers(await log(database)) == [before[0].id + 1, *numbers(before)]


async def test_new_entries_are_the_newest_before_all_old_ones_are_there(
    older: Workspace, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await log(older.app.state.services.database)
    monkeypatch.setattr(service, "_BATCH", 1)
    audit = AuditService(database)
    await audit.open()
    async with database.transaction() as tx:
        await record(tx, READER, "record.create", "Contacts/1")
    assert await audit.move_legacy_entries() == len(before) - 1
    assert numbers(await log(database)) == [before[0].id + 1, *numbers(before)]
    assert await audit.move_legacy_entries() == 0


@pytest.mark.parametrize("seed", range(5))
async def test_what_programs_of_both_kinds_wrote_is_all_there_once(
    older: Workspace, database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Random numbers on both sides, some the same; several pods bring entries over at once."""
    chance = random.Random(seed)  # noqa: S311  no secret
    monkeypatch.setattr(service, "_BATCH", chance.randrange(1, 6))
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM audit_log")
        for table in (tx.audit_log, "audit_log"):
            for number in chance.sample(range(1, 20), 8):
                await tx.execute(
                    f"INSERT INTO {table} (id, actor, action, subject, request_id) VALUES (%s, %s, 'a.b', 's', 'r')",  # noqa: S608  our own words
                    number,
                    f"{table} {number}",
                )
    here, there = await log(older.app.state.services.database), await log(database)
    await asyncio.gather(*(AuditService(database).move_legacy_entries() for _ in range(3)), return_exceptions=True)
    await AuditService(database).move_legacy_entries()
    after = await log(database)
    assert contents(after) == contents([*here, *there])
    assert {one.id for one in after} >= {one.id for one in here}
    assert await log(older.app.state.services.database) == []


async def test_a_table_of_before_that_somebody_tidied_away_is_not_missed(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute("DROP TABLE audit_log")
    await AuditService(database).open()
    assert await log(database) == []


@pytest.mark.parametrize("right", ["SELECT", "INSERT", "ALL"])
async def test_a_login_that_may_not_use_the_log_says_so_at_the_start(
    database: Database, older: Workspace, database_admin: MariaDbAdmin, right: str
) -> None:
    take(database_admin, older, right)
    with pytest.raises(AuditLogError, match="needs SELECT and INSERT"):
        await AuditService(database).open()


async def test_both_tables_have_the_same_columns(database: Database) -> None:
    """The operator makes one, the data plane's migrations the other."""
    columns = (
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLLATION_NAME, EXTRA FROM"
        " INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY COLUMN_NAME"
    )
    keys = "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM INFORMATION_SCHEMA.STATISTICS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
    async with database.read() as connection:
        for look in (columns, keys):
            own = await connection.fetch_all(look, database.name, made.TABLE)
            beside = await connection.fetch_all(look, f"{database.name}audit", made.TABLE)
            assert sorted(own, key=repr) == sorted(beside, key=repr)
            assert own


async def test_a_proof_uses_the_log_and_adds_nothing(
    database: Database, older: Workspace, database_admin: MariaDbAdmin
) -> None:
    await prove(database)
    assert await log(database) == []
    take(database_admin, older, "INSERT")
    with pytest.raises(DatabaseError):
        await prove(database)


async def test_a_neighbours_audit_log_that_is_open_fails_the_proof(
    database: Database, new_workspace: NewWorkspace, older: Workspace, database_admin: MariaDbAdmin
) -> None:
    neighbour = (await new_workspace(spare=True)).settings.env.tenant_id
    await check_isolation(database, neighbour)
    with database_admin._session("open it") as cursor:  # noqa: SLF001
        user = older.settings.database.username
        cursor.execute(f"GRANT SELECT ON `{audit_database_name(neighbour)}`.* TO `{user}`")
    with pytest.raises(IsolationError):
        await check_isolation(database, neighbour)
