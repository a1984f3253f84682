import asyncio
import gc
import os
import random
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.conftest import Login
from integration.data_plane.workspace import write_secrets
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.model import naming
from vivero_data.db import migrate as migrating
from vivero_data.db import schema, schema_file
from vivero_data.db.compatibility import HEAD, MigrationError, SchemaTooNewError
from vivero_data.db.database import Database
from vivero_data.db.errors import DatabaseError
from vivero_data.db.migrate import migrate
from vivero_data.settings import Settings, load
from vivero_web import migration_lock
from vivero_web.errors import UnavailableError

EARLIER = [
    script.revision
    for script in ScriptDirectory.from_config(schema_file.config()).walk_revisions()
    if script.revision != HEAD
]
# The oldest goes through every migration and the newest through the last; of those between, a seeded sample.
TRIED = {EARLIER[0], EARLIER[-1], *random.Random(13).sample(EARLIER, 3)}  # noqa: S311  a test's choice


@pytest.fixture
def new_settings(new_tenant: Callable[[], Login], platform: dict[str, Any], tmp_path: Path) -> Callable[[], Settings]:
    def make() -> Settings:
        login = new_tenant()
        folder = tmp_path / login.id
        write_secrets(folder, login, platform, Ed25519PrivateKey.generate())
        return load(
            {
                "VIVERO_TENANT_ID": login.id,
                "VIVERO_SECRETS_DIR": str(folder),
            }
        )

    return make


def database_of(settings: Settings) -> Database:
    return Database(settings.database, settings.tls(), 3)


@pytest.fixture
async def settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    made = database_of(settings)
    await made.open(10)
    yield made
    await made.close()


async def definition(database: Database) -> dict[str, str]:
    """Every table as the server describes it."""
    async with database.read() as connection:
        names = [row[0] for row in await connection.fetch_all("SHOW TABLES")]
        found = {}
        for name in names:
            row = await connection.fetch_one(f"SHOW CREATE TABLE `{name}`")
            assert row is not None
            found[name] = re.sub(r" AUTO_INCREMENT=\d+", "", row[1])
    return found


async def test_the_fast_install_equals_the_migrations(new_settings: Callable[[], Settings], database: Database) -> None:
    await schema.ensure_current(database)
    slow = new_settings()
    await asyncio.to_thread(migrate, slow)
    other = database_of(slow)
    await other.open(10)
    try:
        assert await definition(other) == await definition(database)
        await schema.ensure_current(other)
    finally:
        await other.close()


async def test_an_install_that_stopped_anywhere_is_finished(
    new_settings: Callable[[], Settings], database: Database
) -> None:
    await schema.ensure_current(database)
    whole = await definition(database)
    statements = schema.split(schema.SCHEMA_FILE.read_text())
    for done in random.Random(13).sample(range(len(statements)), 8):  # noqa: S311  a test's choice
        half = database_of(new_settings())
        await half.open(10)
        try:
            async with half.read() as connection:
                for statement in statements[:done]:
                    await connection.execute(statement)
            await schema.ensure_current(half)
            assert await definition(half) == whole
            async with half.read() as connection:
                assert await connection.fetch_one("SELECT COUNT(*) FROM counters") == (4,)
        finally:
            await half.close()


async def test_pods_that_start_together_install_once(settings: Settings, database: Database) -> None:
    others = [database_of(settings) for _ in range(3)]
    for other in others:
        await other.open(10)
    await asyncio.gather(*(schema.ensure_current(one) for one in (database, *others)))
    async with database.read() as connection:
        assert await connection.fetch_all("SELECT version_num FROM alembic_version") == [(HEAD,)]
    for other in others:
        await other.close()


async def test_no_lock_that_a_neighbour_can_name_holds_up_an_install(
    new_settings: Callable[[], Settings], database: Database
) -> None:
    neighbour = database_of(new_settings())
    await neighbour.open(10)
    async with neighbour.read() as theirs:
        for name in (database.name, f"vivero.{database.name}", f"{database.name}.migrate", "migration_lock", "vivero"):
            assert await theirs.fetch_one("SELECT GET_LOCK(%s, 0)", name) == (1,)
        async with asyncio.timeout(10):
            assert await schema.ensure_current(database) == HEAD
    await neighbour.close()


@pytest.mark.parametrize("end", ["COMMIT", "KILL CONNECTION"])
async def test_a_pod_that_installs_is_waited_for_until_it_is_done_or_gone(
    settings: Settings, database: Database, end: str
) -> None:
    other = database_of(settings)
    await other.open(10)
    async with other.read() as making, other.read() as holder:
        for statement in migration_lock.MADE:
            await making.execute(statement)
        await holder.execute("BEGIN")
        await holder.fetch_one(migration_lock.TAKE)
        number = await holder.fetch_one("SELECT CONNECTION_ID()")
        waits = asyncio.create_task(schema.ensure_current(database))
        await asyncio.sleep(0.5)
        assert not waits.done()
        assert await schema.revision_of(making) is None
        if number is not None and end != "COMMIT":
            await making.execute("KILL CONNECTION %s", number[0])
        else:
            await holder.execute("COMMIT")
        async with asyncio.timeout(10):
            assert await waits == HEAD
    await other.close()


async def test_a_lock_that_is_held_for_ever_is_told(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_LOCK_ATTEMPTS", 1)
    monkeypatch.setattr(migrating, "_LOCK_SECONDS", 1)
    other = database_of(settings)
    await other.open(10)
    async with other.read() as making:
        for statement in migration_lock.MADE:
            await making.execute(statement)
    async with other.transaction() as holder:
        await holder.fetch_one(migration_lock.TAKE)
        with pytest.raises(UnavailableError, match="still creating"):
            await schema.ensure_current(database)
        with pytest.raises(MigrationError, match="still migrating"):
            await asyncio.to_thread(migrate, settings)
    await other.close()
    assert await schema.ensure_current(database) == HEAD


@pytest.fixture
def _environ(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process that migrates reads."""
    for name, value in {
        "VIVERO_TENANT_ID": settings.env.tenant_id,
        "VIVERO_SECRETS_DIR": settings.env.secrets_dir,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_environ")
@pytest.mark.parametrize(
    "revision", [pytest.param(one, marks=() if one in TRIED else pytest.mark.full) for one in EARLIER]
)
async def test_an_older_schema_is_brought_up_with_what_is_in_it(
    settings: Settings, new_settings: Callable[[], Settings], database: Database, revision: str
) -> None:
    await asyncio.to_thread(migrate, settings, revision)
    async with database.read() as connection:
        assert await schema.revision_of(connection) == revision
        await connection.execute("UPDATE counters SET value = 7 WHERE name = 'records'")
    for _ in range(2):
        await schema.ensure_current(database)
    fresh = database_of(new_settings())
    await fresh.open(10)
    try:
        await schema.ensure_current(fresh)
        assert await definition(database) == await definition(fresh)
    finally:
        await fresh.close()
    async with database.read() as connection:
        assert await schema.revision_of(connection) == HEAD
        assert await connection.fetch_one("SELECT value FROM counters WHERE name = 'records'") == (7,)


@pytest.mark.parametrize("oldest", [None, "9998", "9999"])
async def test_a_schema_that_is_closed_to_this_program_is_left_alone(
    settings: Settings, database: Database, oldest: str | None
) -> None:
    await schema.ensure_current(database)
    async with database.read() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        if oldest is None:
            await connection.execute("DROP TABLE schema_compatibility")
        else:
            await connection.execute("UPDATE schema_compatibility SET oldest_program = %s", oldest)
    before = await definition(database)
    with pytest.raises(SchemaTooNewError, match=f"revision 9999 .* up to {HEAD}. Start a newer release"):
        await schema.ensure_current(database)
    with pytest.raises(SchemaTooNewError):
        await asyncio.to_thread(migrate, settings)
    assert await definition(database) == before


@pytest.mark.usefixtures("_environ")
async def test_a_schema_that_is_ahead_and_open_is_used_as_it_is(settings: Settings, database: Database) -> None:
    assert await schema.ensure_current(database) == HEAD
    async with database.read() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = await definition(database)
    assert await schema.ensure_current(database) == "9999"
    await asyncio.to_thread(migrate, settings)
    assert await definition(database) == before


async def test_every_connection_is_tls_1_3_in_utc(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.fetch_one("SHOW STATUS LIKE 'Ssl_version'") == ("Ssl_version", "TLSv1.3")
        assert await connection.fetch_one("SELECT @@time_zone, @@tx_isolation") == ("+00:00", "READ-COMMITTED")


# asyncmy leaves the transport of a refused connection to the garbage collector.
refused = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@refused
async def test_another_authority_is_not_trusted(settings: Settings, foreign_ca: Path) -> None:
    stranger = msgspec.structs.replace(settings, ca_file=foreign_ca)
    made = Database(settings.database, stranger.tls(), 1)
    with pytest.raises(UnavailableError):
        await made.open(0.2)
    gc.collect()


@refused
async def test_patience_is_bounded(settings: Settings) -> None:
    secret = msgspec.structs.replace(settings.database, password="wrong")
    made = Database(secret, settings.tls(), 1)
    started = asyncio.get_running_loop().time()
    with pytest.raises(UnavailableError) as caught:
        await made.open(1.0)
    assert asyncio.get_running_loop().time() - started < 5
    assert "wrong" not in str(caught.value)
    with pytest.raises(UnavailableError):
        async with made.read():
            pass
    await made.close()
    del caught  # its traceback holds the connection
    gc.collect()


async def test_a_statement_that_fails_rolls_everything_back(database: Database) -> None:
    await schema.ensure_current(database)

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute("UPDATE counters SET value = 99 WHERE name = 'records'")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as connection:
        assert await connection.fetch_one("SELECT value FROM counters WHERE name = 'records'") == (0,)


async def test_a_cancelled_transaction_rolls_back(database: Database) -> None:
    await schema.ensure_current(database)

    async def slow() -> None:
        async with database.transaction() as tx:
            await tx.execute("UPDATE counters SET value = 99 WHERE name = 'records'")
            await tx.fetch_one("SELECT SLEEP(1)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.read() as connection:
        assert await connection.fetch_one("SELECT value FROM counters WHERE name = 'records'") == (0,)
    await asyncio.sleep(1)  # until the server has closed its end too


async def test_nothing_is_installed_in_place_of_what_is_gone(database: Database) -> None:
    with pytest.raises(MigrationError, match="restore the schema from a backup"):
        await schema.ensure_current(database, holds_data=True)
    assert await definition(database) == {}
    await schema.ensure_current(database)
    # What is there is no loss.
    await schema.ensure_current(database, holds_data=True)


@pytest.mark.parametrize("revision", [EARLIER[-1], EARLIER[0]])
async def test_a_view_of_before_a_migration_is_migrated_by_the_login_that_filled_it(
    settings: Settings, database_admin: MariaDbAdmin, revision: str
) -> None:
    """Afterwards that login may only read, and a program that shows a second finds what it needs."""
    live, ident = settings.database.name, settings.env.tenant_id
    migrate(settings)
    reader, (data, audit) = Credentials(naming.viewing_user(ident), "viewing"), naming.as_of_database_names(ident)
    database_admin.begin_view(live, reader, 10)
    login = {"username": reader.name, "password": reader.secret, "name": data, "audit": audit}
    beside = msgspec.structs.replace(settings, database=msgspec.structs.replace(settings.database, **login))
    migrate(beside, revision)
    assert database_admin.is_view_older(live)
    assert revision in str(database_admin.open_view(live, reader, 10))
    migrate(beside)
    assert not database_admin.is_view_older(live)
    assert database_admin.open_view(live, reader, 10) is None
    shown = database_of(beside)
    await shown.open(10)
    try:
        assert await schema.require_current(shown) == HEAD
        with pytest.raises(DatabaseError, match="refused a statement"):
            async with shown.transaction() as tx:
                await tx.execute("DELETE FROM users")
    finally:
        await shown.close()
