"""The binary log of a real server, cut by tenant and replayed: each tenant's schemas are what they were, to the byte."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from integration.operator.binlog_source import TENANTS, Source, Tenant, provision, sessions, source
from vivero_core.model import naming
from vivero_operator.archiver.events import Event, Type
from vivero_operator.archiver.groups import Splitter
from vivero_operator.archiver.logfile import events_of_file, file_of
from vivero_operator.operations import scratch_server
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.scratch_server import ScratchServer

ONE, TWO = TENANTS[:2]
NOW = 2**31
Ask = Callable[[str, str], Sequence[tuple[Any, ...]]]
Told = dict[str, Any]


def told(ask: Ask, schemas: Sequence[str]) -> Told:
    """All that a schema holds: tables and views as they are made, checksums of rows, and its programs."""
    found: Told = {}
    for schema in schemas:
        for name, sort in ask("SHOW FULL TABLES", schema):
            quoted = "`" + name.replace("`", "``") + "`"
            found[f"{schema}.{name}"] = ask(f"SHOW CREATE TABLE {quoted}", schema)
            if sort == "SEQUENCE":
                found[f"{schema}.{name} rows"] = ask(f"SELECT * FROM {quoted}", schema)  # noqa: S608  its name as it is
            elif sort != "VIEW":
                found[f"{schema}.{name} rows"] = ask(f"CHECKSUM TABLE {quoted}", schema)
    programs = {
        "TRIGGERS": ("TRIGGER_SCHEMA", "TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT, DEFINER"),
        "ROUTINES": ("ROUTINE_SCHEMA", "ROUTINE_NAME, ROUTINE_DEFINITION, ROUTINE_COMMENT, DEFINER"),
        "EVENTS": ("EVENT_SCHEMA", "EVENT_NAME, EVENT_DEFINITION, INTERVAL_VALUE"),
        "SCHEMATA": ("SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"),
    }
    listed = ", ".join(f"'{schema}'" for schema in schemas)
    for table, (column, columns) in programs.items():
        found[table] = ask(
            f"SELECT {column}, {columns} FROM information_schema.{table} WHERE {column} IN ({listed}) ORDER BY 1, 2",  # noqa: S608
            "information_schema",
        )
    return found


def of_source(server: Source, tenant: Tenant) -> Told:
    return of_server(server.socket, tenant)


def of_scratch(server: ScratchServer, tenant: Tenant) -> Told:
    return of_server(str(server.option_file.parent / "sock"), tenant)


def of_server(socket: str, tenant: Tenant) -> Told:
    """By its root."""
    with (
        closing(
            pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True, ssl_disabled=True)
        ) as connection,
        connection.cursor() as cursor,
    ):

        def ask(statement: str, schema: str) -> Sequence[tuple[Any, ...]]:
            connection.select_db(schema)
            cursor.execute(statement)
            return list(cursor.fetchall())

        return told(ask, tenant.schemas)


def events(logs: Sequence[Path]) -> Iterator[Event]:
    for log in logs:
        with log.open("rb") as content:
            yield from events_of_file(content.read)


def cut(logs: Sequence[Path], folder: Path, until: dict[int, int] | None = None) -> dict[str, list[Path]]:
    """A tenant's files by its id, one for each file of the server; `until`: the last sequence of a domain."""
    splitter, made = Splitter(naming.tenant_of_database), dict[str, list[Path]]()
    for number, log in enumerate(logs):
        description, parts = None, dict[str, list[bytes]]()
        for event in events([log]):
            if event.type is Type.FORMAT_DESCRIPTION:
                description = event
            if (group := splitter.feed(event, NOW)) is not None:
                if until is None or group.gtid.sequence <= until[group.gtid.domain]:
                    parts.setdefault(group.owner, []).extend(group.events())
                group.close()
        assert splitter.between
        assert description is not None
        for owner, raws in parts.items():
            made.setdefault(owner, []).append(folder / f"{owner}.{number}")
            made[owner][-1].write_bytes(b"".join(file_of(description, raws)))
    assert not splitter.prepared
    return made


@pytest.fixture
def scratch() -> Iterator[ScratchServer]:
    """In a folder with a short name: a socket's path has at most 107 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        yield ScratchServer(Path(folder) / "server")


def replayed(tenant: Tenant, logs: Sequence[Path]) -> Told:
    with tempfile.TemporaryDirectory(dir=logs[0].parent) as folder:
        server = ScratchServer(Path(folder))
        with server.running():
            server.replay(logs, tenant.schemas)
            return of_scratch(server, tenant)


@pytest.mark.parametrize(
    ("tenants", "options"),
    [
        pytest.param(TENANTS, "", id="plain"),
        pytest.param(
            TENANTS[:2],
            "log_bin_compress = ON\nlog_bin_compress_min_len = 10\nbinlog_checksum = NONE\n",
            id="compressed",
        ),
        pytest.param(
            TENANTS[:2],
            "binlog_annotate_row_events = OFF\nbinlog_row_metadata = FULL\nbinlog_alter_two_phase = ON\n",
            id="full",
        ),
    ],
)
def test_every_tenant_is_restored_from_its_part_of_the_log(
    tmp_path: Path, tenants: Sequence[Tenant], options: str
) -> None:
    with source(tmp_path, options) as server:
        for tenant in tenants:
            provision(server, tenant)
        # Side by side: a session of one tenant's, then of the next one's.
        work = [sessions("workload", tenant, other) for tenant, other in zip(tenants, (*tenants[1:], ONE), strict=True)]
        for round_ in zip(*work, strict=True):
            server.play(*round_, *sessions("workload_of_platform"))
        ((position,),) = server.run("SELECT @@gtid_binlog_pos")
        before = of_source(server, ONE)
        for tenant in tenants:
            server.play(*sessions("workload_of_login", tenant), user=naming.database_users(tenant.id)[0])
        after = {tenant: of_source(server, tenant) for tenant in tenants}
        logs = server.logs()
        (tmp_path / "all").mkdir()
        (tmp_path / "then").mkdir()
        parts_of = cut(logs, tmp_path / "all")
        assert set(parts_of) == {tenant.id for tenant in tenants}
        for tenant in tenants:
            assert replayed(tenant, parts_of[tenant.id]) == after[tenant]
        # To a moment in between.
        domain, _, sequence = str(position).split("-")
        parts_of = cut(logs, tmp_path / "then", {int(domain): int(sequence)})
        assert replayed(ONE, parts_of[ONE.id]) == before != after[ONE]


HOSTILE = [
    "CREATE VIEW alias AS SELECT {other}.x FROM own {other}",
    "CREATE VIEW quoted AS SELECT '`{other}`.people', \"{other}.people\" x /* {other}.people */ FROM own",
    "CREATE TABLE `{other}.people` (`{other}.x` INT, `REFERENCES {other}.t` INT, y INT COMMENT 'REFERENCES {other}.t')",
    "CREATE TABLE {other}.people (x INT)",
    "CREATE TABLE refers (x INT, FOREIGN KEY (x) REFERENCES {other}.people (id))",
    "RENAME TABLE own TO {other}.own",
    "ALTER TABLE own RENAME {other}.own",
    "CREATE TABLE .dotted (x INT)",
    "CREATE/**/TABLE\t`a``b` (x INT)# comment with `\n-- and '\n/* and \" */",
    "CREATE TABLE newer (x INT) /*!999999 , {other}.people */",
    "CREATE TABLE mysql_only (x INT /*!50701 , y INT */)",
    "CREATE TABLE coming (x INT /*!101200 , y INT */ /*M!999999 , z INT */)",
    "CREATE TABLE nested (x INT /*! , y INT /* inner */ , z INT */)",
    "CREATE TABLE executed /*!50003 /*!50003 (x INT) */ */",
    "CREATE TABLE without_end (x INT) /*! COMMENT 'x'",
    "CREATE TABLE without_end_too (x INT) /* COMMENT 'x'",
    "CREATE TABLE ends (x INT);",
    "CREATE TABLE ends_in_comment (x INT) --",
    "EXECUTE IMMEDIATE 'CREATE TABLE prepared (x INT)'",
    "SET STATEMENT max_statement_time = 9, sort_buffer_size = 99999 FOR CREATE TABLE timed (x INT)",
    "CREATE TEMPORARY TABLE passing (x INT)",
    "DROP TABLE own, passing, nothing",
    "DROP TABLE IF EXISTS nothing, {other}.people",
    "DROP TABLE IF EXISTS nothing /*!999999 , {other}.people */ /*!50701 , {other}.people */ /*M!999999 , {other}.people */",
    "CREATE TABLE /*!999999 {other}.*/ behind (x INT)",
    "CREATE TABLE /*M!100100 /*! inner */ (x INT)",
    "CREATE TABLE chosen SELECT 1 x UNION SELECT 2",
    "XA START x'00275c60', x'ff', 1",
    "INSERT INTO chosen VALUES (3)",
    "XA END x'00275c60', x'ff', 1",
    "XA PREPARE x'00275c60', x'ff', 1",
    "XA ROLLBACK x'00275c60', x'ff', 1",
    "SET PASSWORD = PASSWORD('')",
    "ANALYZE TABLE chosen",
    "OPTIMIZE TABLE chosen, ends",
    "REPAIR TABLE chosen",
    "FLUSH TABLES",
    "SET binlog_format = 'STATEMENT'",
    "SET sql_log_bin = 0",
    "INSERT INTO chosen VALUES (RAND()), (LAST_INSERT_ID())",
    "SET sql_mode = 'ORACLE'",
    'CREATE TABLE "oracle" (x NUMBER, "`" INT)',
    "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    'CREATE TABLE "ansi""" (x VARCHAR(9) DEFAULT \'\\\')',
]
"""By a tenant's own login. Many are refused; what is not has to be cut."""


def test_no_statement_of_a_login_stops_the_archive(tmp_path: Path) -> None:
    with source(tmp_path) as server:
        for tenant in (ONE, TWO):
            provision(server, tenant)
        server.run("CREATE TABLE people (id INT PRIMARY KEY)", schema=TWO.data)
        server.run("CREATE TABLE own (x INT)", schema=ONE.data)
        refused = server.attempt([one.format(other=TWO.data) for one in HOSTILE], ONE)
        for charset, character in (("gbk", b"\xe0\x5c"), ("sjis", b"\x83\x60"), ("big5", b"\xa4\x5c")):
            wide = [
                b"CREATE TABLE `" + character + b"` (x INT COMMENT '" + character + b"')",
                b"TRUNCATE `" + character + b"`",
            ]
            assert not server.attempt([f"SET NAMES {charset}", *wide], ONE)
        assert len(refused) < len(HOSTILE) / 2
        after = of_source(server, ONE)
        parts = cut(server.logs(), tmp_path)
        assert set(parts) == {ONE.id, TWO.id}
        assert replayed(ONE, parts[ONE.id]) == after


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The log of a server with two tenants."""
    folder = tmp_path_factory.mktemp("small")
    with source(folder) as server:
        for tenant in (ONE, TWO):
            provision(server, tenant)
            server.play(sessions("workload", tenant)[0])
        kept = [folder / log.name for log in server.logs()]
        for log in kept:
            shutil.copyfile(folder / "data" / log.name, log)
    return kept


def test_a_log_that_changes_another_schema_is_an_error(
    small: list[Path], scratch: ScratchServer, tmp_path: Path
) -> None:
    (log,) = cut(small, tmp_path)[TWO.id]
    with scratch.running(), pytest.raises(StepFailedError, match=f"other schemas: {TWO.data}, {TWO.audit}"):
        scratch.replay([log], ONE.schemas)
    scratch.remove()
    rows = tmp_path / "rows"
    rows.write_bytes(_first_transaction(log))
    with scratch.running(), pytest.raises(StepFailedError, match=r"error 1146 \(NO_SUCH_TABLE\)"):
        scratch.replay([rows], ONE.schemas)


def test_the_next_step_finds_what_the_one_before_has_left(
    small: list[Path], scratch: ScratchServer, tmp_path: Path
) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    (more,) = cut(small, tmp_path)[TWO.id]
    with scratch.running():
        scratch.replay([log], ONE.schemas)
        left = of_scratch(scratch, ONE)
    with scratch.running():
        assert of_scratch(scratch, ONE) == left
        # And it replays again.
        scratch.replay([more], (*ONE.schemas, *TWO.schemas))
        assert of_scratch(scratch, TWO).keys() == {key.replace(ONE.id, TWO.id) for key in left}
    scratch.remove()
    scratch.remove()
    with scratch.running():
        assert scratch.query("SHOW DATABASES LIKE 'vt%'") == []


def test_a_dump_is_loaded_before_the_log_goes_on(small: list[Path], scratch: ScratchServer, tmp_path: Path) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    with scratch.running():
        scratch.load(ONE.data, [b"CREATE TABLE `base` (`x` text)", "INSERT INTO `base` VALUES ('🌱')".encode()])
        scratch.replay([log], ONE.schemas)
        assert scratch.query("SELECT x FROM base", ONE.data) == [("🌱",)]
        assert scratch.query("SELECT COUNT(*) FROM people", ONE.data) == [(2,)]
        with pytest.raises(StepFailedError, match=r"loading vta+ failed: error 1062 \(DUP_ENTRY\)$"):
            scratch.load(ONE.data, [b"INSERT INTO `people` (id, name) VALUES (1, 'again')"])


def test_a_schema_that_is_there_and_not_named_is_left_as_it_is(
    small: list[Path], scratch: ScratchServer, tmp_path: Path
) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    with scratch.running():
        scratch.load(ONE.audit, [b"CREATE TABLE `entries` (id INT)", b"INSERT INTO `entries` VALUES (7)"])
        scratch.replay([log], [ONE.data])
        assert scratch.query("SELECT * FROM entries", ONE.audit) == [(7,)]
        assert scratch.query("SELECT COUNT(*) FROM people", ONE.data) == [(2,)]


def test_a_change_that_does_not_fit_stops_the_replay_and_its_values_are_not_told(
    small: list[Path], scratch: ScratchServer, tmp_path: Path
) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    with scratch.running():
        scratch.replay([log], ONE.schemas)
        again = tmp_path / "again"
        again.write_bytes(_first_transaction(log))
        with pytest.raises(StepFailedError) as caught:
            scratch.replay([again], ONE.schemas)
    said = str(caught.value)
    assert "error 1062 (DUP_ENTRY), HA_ERR_FOUND_DUPP_KEY" in said
    assert "Ada" not in said
    assert "people" not in said


def _first_transaction(log: Path) -> bytes:
    """A log with no more than that."""
    description, *rest = events([log])
    splitter = Splitter(naming.tenant_of_database)
    for event in rest:
        if (group := splitter.feed(event, NOW)) is not None:
            raws = list(group.events())
            group.close()
            if raws[-1][4] == Type.XID:
                return b"".join(file_of(description, raws))
    raise AssertionError("no transaction")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_damaged_log_is_not_replayed(small: list[Path], scratch: ScratchServer, tmp_path: Path, part: float) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    content = bytearray(log.read_bytes())
    content[int(len(content) * part)] ^= 0x10
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content)
    with scratch.running(), pytest.raises(StepFailedError, match=r"the replay stopped at .*: error"):
        scratch.replay([damaged], ONE.schemas)


def test_a_log_that_ends_within_a_transaction_is_an_error(
    small: list[Path], scratch: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch_server, "IDLE_SECONDS", 2.0)
    (log,) = cut(small, tmp_path)[ONE.id]
    raws = [event.raw for event in events([log])]
    assert raws[-1][4] == Type.XID
    cut_short = tmp_path / "cut"
    cut_short.write_bytes(log.read_bytes()[: -len(raws[-1])])
    with scratch.running(), pytest.raises(StepFailedError, match="ends within a group"):
        scratch.replay([cut_short], ONE.schemas)


def test_a_server_that_dies_during_the_replay_is_an_error(
    small: list[Path], scratch: ScratchServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    folder = scratch.option_file.parent
    with scratch.running(), closing(pymysql.connect(unix_socket=str(folder / "sock"), user="root")) as blocker:
        blocker.query("FLUSH TABLES WITH READ LOCK")
        number = int((folder / "pid").read_text())
        monkeypatch.setattr(time, "sleep", lambda _: os.kill(number, signal.SIGKILL))
        with pytest.raises(StepFailedError, match="ended during the replay, exit code -9"):
            scratch.replay([log], ONE.schemas)


def test_a_server_that_cannot_start_says_why(scratch: ScratchServer) -> None:
    with scratch.running():
        pass
    (scratch.option_file.parent / "data" / "ibdata1").write_bytes(b"no table space")
    with pytest.raises(StepFailedError, match=r"does not start: (.|\n)*\[ERROR\]"), scratch.running():
        pytest.fail("it runs")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, as a pod's room on its node's disk is bounded."""
    with tempfile.TemporaryDirectory() as folder:
        _run("/usr/bin/mount", "-t", "tmpfs", "-o", "size=16m", "none", folder)
        try:
            yield Path(folder)
        finally:
            _run("/usr/bin/umount", "--lazy", folder)


def _resize(disk: Path, size: str) -> None:
    _run("/usr/bin/mount", "-o", f"remount,size={size}", str(disk))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  words of this test


def test_a_full_disk_is_told_and_with_more_room_the_next_attempt_finishes(small_disk: Path) -> None:
    scratch = ScratchServer(small_disk / "server")
    (small_disk / "server").mkdir()
    with pytest.raises(StepFailedError, match="making the scratch server exited with"), scratch.running():
        pytest.fail("it runs")
    table = b"CREATE TABLE `t` (id INT AUTO_INCREMENT PRIMARY KEY, text LONGTEXT)"
    rows = 100 * [b"INSERT INTO `t` (text) VALUES (REPEAT('x', 1000000))"]
    _resize(small_disk, "110m")
    scratch.remove()
    with pytest.raises(StepFailedError, match=f"loading {ONE.data} failed: error"), scratch.running():
        scratch.load(ONE.data, [table, *rows])
    _resize(small_disk, "500m")
    scratch.remove()
    with scratch.running():
        scratch.load(ONE.data, [table, *rows])
        assert scratch.query("SELECT COUNT(*) FROM t", ONE.data) == [(len(rows),)]


def _as_nobody(folder: str, log: str) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(10001)
        os.setuid(10001)
    server = ScratchServer(Path(folder) / "server")
    with server.running():
        server.replay([Path(log)], ONE.schemas)
        assert server.query("SELECT COUNT(*) FROM people", ONE.data) == [(2,)]
    server.remove()


def test_it_runs_as_a_user_without_a_name(small: list[Path], tmp_path: Path) -> None:
    (log,) = cut(small, tmp_path)[ONE.id]
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "log"
        shutil.copyfile(log, own)
        for place in (Path(folder), own) if os.geteuid() == 0 else ():
            os.chown(place, 10001, 10001)
        child = multiprocessing.get_context("fork").Process(target=_as_nobody, args=(folder, str(own)))
        child.start()
        child.join()
        assert child.exitcode == 0
        assert not (Path(folder) / "server").exists()
