"""A pod of an operation that is killed in any step, behind any write: the next attempt ends as if nothing had been.

An attempt begins with an empty folder and with the first step. Which steps and writes there are is counted, so that a new one
is killed behind by itself. The servers are played: buckets and schemas are dictionaries.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pymysql
import pytest
from unit.operator.test_archive import IDS, KEYS, SERVER, Log, follow
from unit.operator.test_damage import Store
from vivero_core.model import naming
from vivero_core.sealing import seal, unseal
from vivero_operator.archiver.configuration import STORAGE_KEYS
from vivero_operator.operations import (
    archive,
    backup,
    erase,
    expire,
    moment,
    new_tenant,
    proof,
    replayed,
    restore,
)
from vivero_operator.operations.archive import Archive
from vivero_operator.operations.orders import (
    BACKUP,
    CLIENT_FILE,
    ERASE,
    EXPIRE,
    MOMENT,
    ORDER_FILE,
    PROOF,
    RESTORE,
    Account,
    BackupOrder,
    Login,
    MomentOrder,
    Program,
    ProofOrder,
    RestoreOrder,
    Target,
)
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Reader

TENANT, NEW = IDS[0], "dddddddddd"
DATA, AUDIT = naming.database_name(TENANT), naming.audit_database_name(TENANT)
NEW_DATA, NEW_AUDIT = naming.database_name(NEW), naming.audit_database_name(NEW)
FILES = {"f1": b"first", "f2": b"second"}
NEW_KEY = bytes([9]) * 32
VERSION = "11.8.3-MariaDB"
KEPT, LIVE, TARGET = "kept", "live", "target"
ROWS = [
    b"CREATE TABLE `files` (id INT);\n",
    b"INSERT INTO `files` VALUES ('f1');\n",
    b"INSERT INTO `files` VALUES ('f2');\n",
]
LOGGED = [b"CREATE TABLE `log` (id INT);\n", b"INSERT INTO `log` VALUES (1);\n"]
Schemas = dict[str, dict[str, list[bytes]]]


class DeathError(BaseException):
    """The program ends here."""


class Platform:
    """Buckets, and servers by whoever logs in there, whose every write is counted."""

    def __init__(self) -> None:
        self.buckets: dict[str, Store] = {name: Store() for name in (KEPT, LIVE, TARGET)}
        self.servers: dict[str, Schemas] = {"live": {}, "target": {NEW_DATA: {}, NEW_AUDIT: {}}}
        self.writes = 0
        self.lives: int | None = None

    def wrote(self) -> None:
        self.writes += 1
        if self.writes == self.lives:
            raise DeathError

    def run(self, server: str, schema: str, statement: bytes) -> None:
        """A statement as mariadb-dump writes it."""
        tables = self.servers[server][schema]
        if found := re.match(rb"(DROP TABLE IF EXISTS|CREATE TABLE|INSERT (?:IGNORE )?INTO) `(\w+)`", statement):
            verb, table = found[1], found[2].decode()
            if verb.startswith(b"DROP"):
                tables.pop(table, None)
            elif verb.startswith(b"CREATE"):
                assert table not in tables, "the table is there already"
                tables[table] = [statement]
            elif (plain := statement.replace(b"INSERT IGNORE", b"INSERT")) not in tables[table]:
                tables[table].append(plain)
            elif b"IGNORE" not in statement:
                raise AssertionError("the row is there already")
            self.wrote()


class Bucket:
    """Implements what programs use of `ObjectStore`."""

    def __init__(self, platform: Platform, account: Account) -> None:
        self._platform, self._store = platform, platform.buckets[account.bucket]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  reading is the store's
        found = getattr(self._store, name)
        if name not in {"put", "put_whole", "delete"}:
            return found

        def counted(*given: Any) -> Any:  # noqa: ANN401  as the store takes and gives them
            answer = found(*given)
            self._platform.wrote()
            return answer

        return counted


class Connection:
    """Of pymysql."""

    def __init__(self, platform: Platform, schema: str) -> None:
        self._platform, self._schema = platform, schema

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def get_server_info(self) -> str:
        return VERSION

    def query(self, statement: bytes) -> None:
        self._platform.run("target", self._schema, statement)

    def cursor(self) -> "Cursor":
        return Cursor(self._platform.servers["target"][self._schema])


class Cursor:
    """That is asked which files there are."""

    def __init__(self, tables: dict[str, list[bytes]]) -> None:
        self._tables = tables

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def execute(self, statement: str) -> None:
        assert statement == new_tenant.STORED_FILES

    def fetchall(self) -> list[tuple[str]]:
        return named_files(self._tables)


def named_files(tables: dict[str, list[bytes]]) -> list[tuple[str]]:
    return [(found[1].decode(),) for row in tables["files"][1:] if (found := re.search(rb"'(\w+)'", row))]


class Scratch:
    """The throw-away server of a folder, which is gone with the folder."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform, self._folder = platform, folder
        self.option_file = folder / "client.cnf"

    @contextmanager
    def running(self) -> Iterator[None]:
        self._folder.mkdir(exist_ok=True)
        (self._folder / "data").touch()
        self._platform.servers.setdefault(str(self._folder), {})
        yield

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._platform.servers.pop(str(self._folder), None)

    def query(self, _: str, schema: str | None = None) -> Sequence[tuple[Any, ...]]:
        if schema is None:
            return ()  # it holds neither views nor routines
        return named_files(self._schemas[schema])

    def version(self) -> str:
        return VERSION

    def load(self, schema: str, statements: Iterator[bytes]) -> Sequence[object]:
        assert schema not in self._schemas, "it is loaded into what an attempt before has left"
        self._schemas[schema] = {}
        for statement in statements:
            self._platform.run(str(self._folder), schema, statement)
        return ()

    def replay(self, logs: Sequence[Path], _: object) -> None:
        assert all(log.stat().st_size for log in logs)
        # The log says what the base has; where there is none it says all.
        for schema, rows in ((DATA, ROWS), (AUDIT, LOGGED)):
            self._schemas.setdefault(schema, tables_of(rows))
        self._platform.wrote()

    @property
    def _schemas(self) -> Schemas:
        return self._platform.servers[str(self._folder)]


def tables_of(rows: Sequence[bytes]) -> dict[str, list[bytes]]:
    name = re.match(rb"CREATE TABLE `(\w+)`", rows[0])
    assert name is not None
    return {name[1].decode(): list(rows)}


class Scene:
    """A tenant with data, files, a backup and a log; and a Job of one of the programs."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.scratch, self.platform = folder, folder / "scratch", Platform()
        self._patch(patch)
        self._files()
        log = Log()
        log.add(TENANT)
        log.add(TENANT)
        self.platform.servers["live"] = {DATA: tables_of(ROWS), AUDIT: tables_of(LOGGED)}
        for key, content in FILES.items():
            self.platform.buckets[LIVE].put(key, seal(Reader(iter([content])).read, KEYS[TENANT], key))
        follow(log, self.platform.buckets[KEPT])
        self.until = int(log.now) - 2
        self.back_up()
        self.platform.writes = 0

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        def store(account: Account, *_: object) -> Bucket:
            return Bucket(self.platform, account)

        def server(folder: Path) -> Scratch:
            return Scratch(self.platform, folder)

        for module in (archive, backup, new_tenant, moment, proof):
            if hasattr(module, "ObjectStore"):
                patch.setattr(module, "ObjectStore", store)
        for module in (backup, new_tenant, moment, proof):
            patch.setattr(module, "dumped", self.dumped)
        patch.setattr(replayed, "ScratchServer", server)
        patch.setattr(pymysql, "connect", lambda **how: Connection(self.platform, how["database"]))
        patch.setattr(new_tenant, "client_context", lambda _: None)
        patch.setattr(tempfile, "tempdir", str(self.scratch))

    def _files(self) -> None:
        (self.folder / "backup").mkdir(parents=True)
        for name in STORAGE_KEYS:
            (self.folder / "backup" / name).write_text(KEPT)
        for name in ("ca.crt", CLIENT_FILE):
            (self.folder / name).write_text("")

    def dumped(
        self, option_file: Path, *schemas: str, position: bool = False, foreign: Sequence[object] = ()
    ) -> Iterator[bytes]:
        """As mariadb-dump writes it, of tables alone."""
        assert not foreign
        known = self.platform.servers
        server = str(option_file.parent) if str(option_file.parent) in known else "live"
        if not known[server].keys() & set(schemas):
            server = "target"
        for name in schemas:
            if len(schemas) > 1:
                yield f"USE `{name}`;\n".encode()
            for table, rows in sorted(known[server][name].items()):
                yield f"-- Table structure for table `{table}`\nDROP TABLE IF EXISTS `{table}`;\n".encode()
                yield from rows
        if position:
            yield b"-- SET GLOBAL gtid_slave_pos='0-7-2';\n"
        yield b"-- Dump completed\n"

    def attempt(self, module: ModuleType, order: str) -> Mapping[str, Any]:
        """A pod from its start to its end: what its last step says for programs."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        (self.folder / ORDER_FILE).write_text(order)
        result: Mapping[str, Any] = {}
        for step in module.STEPS.values():
            result = step(Files(self.folder)).result
            self.platform.wrote()
        return result

    def back_up(self, uid: str = "b1") -> None:
        self.attempt(backup, self.backup_order(uid))

    def backup_order(self, uid: str = "b2") -> str:
        return BackupOrder(TENANT, uid, (DATA, AUDIT), True, account(LIVE), KEYS[TENANT].hex()).dump()  # noqa: FBT003  logged

    def target(self) -> Target:
        schemas, login = {DATA: NEW_DATA, AUDIT: NEW_AUDIT}, Login("h", 1, "u", "p")
        audit = {"log": [LOGGED[0]]}
        self.platform.servers["target"][NEW_AUDIT] = audit  # the operator makes the table
        return Target(schemas, NEW_AUDIT, login, account(TARGET), NEW_KEY.hex())

    def restore_order(self) -> str:
        return RestoreOrder(TENANT, "b1", self.target(), KEYS[TENANT].hex()).dump()

    def moment_order(self) -> str:
        return MomentOrder(TENANT, SERVER, self.until, account(LIVE), self.target(), KEYS[TENANT].hex()).dump()

    def proof_order(self) -> str:
        return ProofOrder(TENANT, "p1", SERVER, (DATA, AUDIT), account(LIVE), KEYS[TENANT].hex()).dump()

    def seen(self) -> dict[str, Any]:
        """What there is in the end, opened."""
        found: dict[str, Any] = {name: sorted(one.objects) for name, one in self.platform.buckets.items()}
        found["target files"] = {
            key: b"".join(unseal(Reader(iter([body])).read, NEW_KEY, key))
            for key, (body, _) in self.platform.buckets[TARGET].objects.items()
        }
        kept = self.platform.buckets[KEPT].store
        for uid in archive.backups(kept, TENANT):
            one = Archive(kept, TENANT, uid, KEYS[TENANT].hex())
            found[uid] = b"".join(one.read_dump(one.read_manifest()))
        return found | {"servers": {name: self.platform.servers[name] for name in ("live", "target")}}


def account(bucket: str) -> Account:
    return Account("https://s3", "r", bucket, "a", "s")


CASES: dict[str, tuple[ModuleType, Callable[[Scene], str]]] = {
    "backup": (backup, Scene.backup_order),
    "restore": (restore, Scene.restore_order),
    "moment": (moment, Scene.moment_order),
    "proof": (proof, Scene.proof_order),
}


def told(result: Mapping[str, Any]) -> dict[str, Any]:
    """Without what differs: when it was, and how well random bytes are packed."""
    differs = {"takenAt", "restoredTo", "provenAt", "reachableFrom", "bytes"}
    return {key: value for key, value in result.items() if key not in differs}


@pytest.mark.parametrize("name", CASES)
def test_killed_behind_any_write_the_next_attempt_ends_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, order = CASES[name]
    with monkeypatch.context() as patch:
        whole = Scene(tmp_path / "whole", patch)
        expected = told(whole.attempt(module, order(whole))), whole.seen()
    writes = whole.platform.writes
    assert writes > len(module.STEPS)
    for lives in range(1, writes):
        with monkeypatch.context() as patch:
            scene = Scene(tmp_path / f"after-{lives}", patch)
            scene.platform.lives = lives
            with pytest.raises(DeathError):
                scene.attempt(module, order(scene))
            assert scene.platform.servers["live"] == whole.platform.servers["live"]
            assert told(scene.attempt(module, (scene.folder / ORDER_FILE).read_text())) == expected[0], lives
            assert scene.seen() == expected[1], lives


def test_a_dump_whose_upload_was_cut_leaves_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path / "one", monkeypatch)
    others = (f"{IDS[1]}/backups/b2/dump.sql", "2")
    scene.platform.buckets[KEPT].waiting = [(f"{TENANT}/backups/b2/dump.sql", "1"), others]
    scene.back_up("b2")
    assert scene.platform.buckets[KEPT].waiting == [others]


@pytest.mark.parametrize(
    ("program", "module"),
    [(BACKUP, backup), (RESTORE, restore), (MOMENT, moment), (PROOF, proof), (EXPIRE, expire), (ERASE, erase)],
    ids=lambda one: getattr(one, "name", None),
)
def test_the_containers_are_the_steps_of_the_program_in_their_order(program: Program, module: ModuleType) -> None:
    assert program.steps == tuple(module.STEPS)
    assert module.__name__.endswith(f".{program.name}")
