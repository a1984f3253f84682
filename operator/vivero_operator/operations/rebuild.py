"""Rebuilds an installation on a new cluster from the backup bucket and the recovery key (docs/runbooks/rebuild.md, ADR 0047).

    python3 -m vivero_operator.operations.rebuild resources    prints what people make themselves, such as Plans
    python3 -m vivero_operator.operations.rebuild all          does the rest
    python3 -m vivero_operator.operations.rebuild key          puts Secret platform-key back, of an installation that lost it alone

It runs in a pod of the operator, with that one's rights, and reads the private key from standard input, so that it is stored
nowhere. All that can be wrong is looked at before anything is written. Each step can be repeated after an interruption, and
the last one, the Secret that says whose platform this is, comes when all the others are done: until then the operator leaves
the bucket as it is. What is loaded is loaded as a restore to a new tenant loads it, by a Job, before a Tenant adopts it.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final, TypeVar

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import CONFIG_MAP, JOB, SECRET, of_model
from vivero_core.backends.mariadb.numbering import AHEAD, number_in
from vivero_core.envelope import public_key
from vivero_core.errors import BackendRefusedError, ViveroError
from vivero_core.model import constants as c
from vivero_core.model import naming, platform_backup
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.platform_backup import ControlPlaneDatabase, PlatformBackup
from vivero_core.model.tenant import Tenant

from vivero_operator.archiver.position import Gap, Positions, gaps, sequence
from vivero_operator.backend_clients import BackendClients, PlatformObjects
from vivero_operator.escrow import record as records
from vivero_operator.escrow import sealing
from vivero_operator.escrow.sealing import SealingKeys
from vivero_operator.escrow.store import KEYS_SECRET, keys_manifest
from vivero_operator.manifests import archiver as archivers
from vivero_operator.operations import platform_state, runner
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.orders import (
    CLIENT_FILE,
    LEDGER,
    MOMENT,
    ORDER_FILE,
    RESTORE,
    Account,
    Login,
    MomentOrder,
    Program,
    RestoreOrder,
    Target,
)
from vivero_operator.operations.platform_state import Body, State, States
from vivero_operator.operations.rebuild_cluster import NewCluster
from vivero_operator.operations.rebuild_plan import PEOPLES, Filling, Plans, for_people, plans
from vivero_operator.operations.rebuild_reach import CountingAdmin, Reach, Servers
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.platform_backup import KEY_SECRET, key_manifest
from vivero_operator.reconcile.steps.backends import provision_database, provision_storage
from vivero_operator.settings import Settings

CONNECTIONS: Final = 5
"""While the data is loaded."""
_KEY_BYTES: Final = 2 * platform_state.KEY_BYTES + 64
"""Of what is read from standard input: the digits, and white space around them."""
T = TypeVar("T")


class Rebuild:
    """Of one state, onto this cluster."""

    def __init__(
        self, reach: Reach, numbered: tuple[int, State], say: Callable[[str], object], left_out: Iterable[str] = ()
    ) -> None:
        """`numbered`: what is rebuilt, and its number. `left_out`: ids that are given up."""
        self._settings, self._kube, self._store = reach.settings, reach.kube, reach.store
        self._cluster = NewCluster(reach.kube, reach.settings, reach.look_seconds)
        self._number, self._state = numbered
        self._reach = reach
        self._say = say
        self._left_out = frozenset(left_out)
        self._namespace = reach.settings.platform_namespace
        self._item: PlatformBackup
        self._servers: dict[str, DatabaseServer] = {}

    async def resources(self) -> Body:
        """What people make, as a list for kubectl, without what is there."""
        present = {kind.__name__: await self._cluster.names(kind) for kind in PEOPLES}
        return {"apiVersion": "v1", "kind": "List", "items": for_people(self._state, present)}

    async def key(self) -> None:
        """The Secret that says whose platform this is, where nothing else was lost. Raises RefusedError."""
        secret = await self._cluster.found(SECRET, KEYS_SECRET, self._namespace)
        if secret is None or self._state.current_key not in secret.get("data", {}):
            raise RefusedError(f"this is not installation {self._state.installation}: rebuild all of it")
        if not await self._cluster.create(key_manifest(self._state.file_key, self._namespace)):
            raise RefusedError(f"there is a Secret {KEY_SECRET} already")
        self._say(f"Secret {KEY_SECRET} is there again")

    async def all(self) -> None:
        """Everything else. Raises RefusedError before anything is written, StepFailedError where it can be repeated."""
        if await self._is_done():
            self._say(f"This is installation {self._state.installation} already: there is nothing to rebuild")
            return
        found = await self.check()
        await self._restore_keys()
        for secret in (*(one.record for one in found.fillings), *found.others):
            await self._cluster.create({**secret, "metadata": {**secret["metadata"], "namespace": self._namespace}})
        self._say(f"Records of keys: {len(found.fillings) + len(found.others)}")
        for name, uid in found.servers.items():
            if name in self._servers:
                await self._count_on(self._servers[name], uid)
        if self._item.spec.control_plane is not None:
            self._say(f"control plane: {await self._fill_control_plane(found)}")
        await self._fill(found)
        await self._finish(found)

    async def check(self) -> Plans:
        """All that could be wrong, looked at without a write. Raises RefusedError."""
        body = await self._cluster.found(of_model(PlatformBackup), platform_backup.NAME, None)
        if body is None:
            raise RefusedError(f"there is no PlatformBackup {platform_backup.NAME}: install the operator's chart first")
        self._item = PlatformBackup.parse(body)
        self._servers = {one.name: one for one in await self._cluster.all(DatabaseServer)}
        ledger = await self._blocking(self._store.list, LEDGER)
        erased = {key.removeprefix(LEDGER).partition(".")[0] for key in ledger}
        found = plans(self._state, self._number, erased)
        await self._require_no_tenants()
        for name in sorted({one.server for one in found.fillings} | self._control_plane_server()):
            if name not in self._servers:
                raise RefusedError(f"there is no DatabaseServer {name}, which had tenants: make one of that name")
        for name, uid in found.servers.items():
            if name in self._servers:
                await self._require_domain(self._servers[name], uid)
        if not await self._has_begun():
            await self._require_room(found)
        for ident in found.erased:
            self._say(f"{ident} was erased and stays so")
        for ident in found.unreadable:
            self._say(f"{ident}: its keys cannot be opened, and it is not brought back")
        return found

    async def _require_no_tenants(self) -> None:
        ours = str(self._number)
        foreign = [
            one.name
            for one in await self._cluster.all(Tenant)
            if not one.is_spare and one.metadata.annotations.get(c.ANNOTATION_REBUILT) != ours
        ]
        if foreign:
            raise RefusedError(f"this installation has tenants already: {', '.join(sorted(foreign)[:5])}")

    def _control_plane_server(self) -> set[str]:
        told = self._item.spec.control_plane
        return {told.database_server} if told is not None else set()

    async def _require_domain(self, server: DatabaseServer, uid: str) -> None:
        """Numbers of transactions are compared within one domain."""
        old = await self._blocking(Positions(self._store, uid).load)
        admin = await self._reach.admin_of(server)
        domain, _ = await self._blocking(admin.log_position)
        if old.gtids and domain not in old.gtids:
            domains = ", ".join(map(str, sorted(old.gtids)))
            message = (
                f"DatabaseServer {server.name} has gtid_domain_id {domain}, and the lost one had {domains}: set that"
            )
            raise RefusedError(message)

    async def _has_begun(self) -> bool:
        """Whether an attempt before has come to its first write."""
        secret = await self._cluster.found(SECRET, KEYS_SECRET, self._namespace)
        told = secret["metadata"].get("annotations", {}) if secret is not None else {}
        return bool(told.get(c.ANNOTATION_REBUILT) == str(self._number))

    async def _is_done(self) -> bool:
        """Whether this is that installation: it has been rebuilt, or was never lost."""
        wanted = key_manifest(self._state.file_key, self._namespace)["data"]
        secret = await self._cluster.found(SECRET, KEY_SECRET, self._namespace)
        return secret is not None and secret.get("data") == wanted

    async def _require_room(self, found: Plans) -> None:
        """Nothing is loaded over anything."""
        for one in found.fillings:
            admin, schema = await self._reach.admin_of(self._servers[one.server]), naming.database_name(one.ident)
            if await self._blocking(admin.holds_data, schema):
                raise RefusedError(f"schema {schema} on DatabaseServer {one.server} holds data already")
        told = self._item.spec.control_plane
        if told is not None:
            login, server = await self._control_plane_login(told), self._servers[told.database_server]
            if await self._reach.holds_tables(server, login, told.database):
                raise RefusedError(f"schema {told.database} holds tables already: install the control plane afterwards")

    async def _restore_keys(self) -> None:
        """Beside those that the operator has made here, and in their place: the newest state's key seals again."""
        held = {name: bytes.fromhex(key) for name, key in self._state.escrow_keys.items()}
        body = keys_manifest(SealingKeys(self._state.current_key, held), self._namespace)
        body["metadata"]["annotations"][c.ANNOTATION_REBUILT] = str(self._number)
        if not await self._cluster.create(body):
            patch = {"metadata": {"annotations": body["metadata"]["annotations"]}, "data": body["data"]}
            await self._kube.patch(SECRET, KEYS_SECRET, patch, self._namespace)

    async def _count_on(self, server: DatabaseServer, uid: str) -> None:
        """The new server's transactions have higher numbers than the lost one's, and its archive says where the lost one began.

        What the lost one committed and nobody archived is a gap of the new one's archive.
        """
        told = await self._blocking(Positions(self._store, uid).load)
        admin = await self._reach.admin_of(server)
        domain, here = await self._blocking(admin.log_position)
        last = sequence(told.gtids.get(domain, "0-0-0"))
        if told.gtids and number_in(here, domain) <= last:
            await self._proceed(admin, server, last + AHEAD)
            self._say(f"DatabaseServer {server.name}: counts its transactions on from {last + AHEAD}")
        await self._blocking(_carry_over, self._store, uid, server.metadata.uid)

    async def _proceed(self, admin: CountingAdmin, server: DatabaseServer, number: int) -> None:
        try:
            await self._blocking(admin.count_on_from, number)
        except BackendRefusedError as error:
            words = f"SET SESSION gtid_seq_no = {number}; FLUSH PRIVILEGES;"
            raise RefusedError(f"an administrator of DatabaseServer {server.name} has to run: {words}") from error

    async def _fill_control_plane(self, found: Plans) -> str:
        told = self._item.spec.control_plane
        assert told is not None  # noqa: S101  who calls this has looked
        database = await self._control_plane_login(told)
        order = MomentOrder(
            tenant=naming.PLATFORM_ID,
            server=found.servers[told.database_server],
            until=None,
            source=None,
            target=Target({told.database: told.database}, "", database, storage=None, file_key=self._state.file_key),
            file_key=self._state.file_key,
        )

        async def make() -> Operation:
            return self._operation(naming.PLATFORM_ID, MOMENT, order, database)

        return await self._cluster.done(naming.PLATFORM_ID, MOMENT, make)

    async def _control_plane_login(self, told: ControlPlaneDatabase) -> Login:
        spec, login = self._servers[told.database_server].spec, await self._reach.login(told.secret)
        return Login(spec.host, spec.port, login.name, login.secret)

    async def _fill(self, found: Plans) -> None:
        """A few at a time; what fails keeps no other from being brought back."""
        places, troubles = asyncio.Semaphore(self._settings.backups_at_once), []

        async def bring(one: Filling) -> None:
            async with places:
                try:
                    self._say(f"{one.name}: {await self._bring_back(one, found)}")
                except ViveroError as error:
                    self._say(f"{one.name}: {error}")
                    troubles.append(one.ident)

        async with asyncio.TaskGroup() as group:
            for one in found.fillings:
                if one.ident not in self._left_out:
                    group.create_task(bring(one))
        if troubles:
            ids = ", ".join(sorted(troubles))
            raise StepFailedError(f"not brought back: {ids}. Run this again, or give one up by --leave-out ID")

    async def _bring_back(self, one: Filling, found: Plans) -> str:
        server, uid = self._servers[one.server], found.servers.get(one.server, "")
        logged = bool((await self._blocking(Positions(self._store, uid).load)).gtids)
        if not logged and one.backup is None:
            raise RefusedError("neither a log nor a backup of it is in the bucket")
        program = MOMENT if logged else RESTORE

        async def make() -> Operation:
            filling = await self._with_access_key(one)
            await self._provision(filling, server)
            target, bucket = self._target(filling, server)
            key = filling.keys.file_key
            order: MomentOrder | RestoreOrder = MomentOrder(one.ident, uid, None, bucket, target, key)
            if not logged:
                order = RestoreOrder(one.ident, one.backup or "", target, key)
            return self._operation(one.ident, program, order, target.database)

        said = await self._cluster.done(one.ident, program, make)
        if one.tenant is not None:
            await self._cluster.create(one.tenant)
        return said

    async def _with_access_key(self, one: Filling) -> Filling:
        """Where the object store makes access keys, those of the lost one open nothing: a new one, stored before it is used."""
        if not self._settings.storage_keys_are_issued:
            return one
        made = await self._blocking(self._reach.storage.new_key, naming.bucket_name(one.ident))
        keys = replace(one.keys, storage_access_key=made.name, storage_secret=made.secret)
        held = {name: bytes.fromhex(key) for name, key in self._state.escrow_keys.items()}
        current = self._state.current_key
        sealed = sealing.seal(SealingKeys(current, held), one.ident, keys)
        await self._kube.patch(SECRET, records.name(one.ident), records.resealed(sealed, current), self._namespace)
        return replace(one, keys=keys)

    async def _provision(self, one: Filling, server: DatabaseServer) -> None:
        """Schema, user, bucket and account, as every tenant has them; and whom its part of the log is sealed for."""
        if server.spec.archiver_secret is not None:
            data = {one.ident: public_key(bytes.fromhex(one.keys.file_key)).hex()}
            await self._kube.patch(CONFIG_MAP, archivers.name_of(server), {"data": data}, self._namespace)
        user = Credentials(naming.database_users(one.ident)[0], one.keys.database_password)
        database, admin = naming.database_name(one.ident), await self._reach.admin_of(server)
        await self._blocking(provision_database, admin, user, database, CONNECTIONS, holds_data=False)
        account, access_key = (
            Credentials(naming.bucket_name(one.ident), one.keys.storage_secret),
            one.keys.storage_access_key,
        )
        await self._blocking(provision_storage, self._reach.storage, account, access_key, holds_data=False)

    def _target(self, one: Filling, server: DatabaseServer) -> tuple[Target, Account]:
        keys, at, name, settings = one.keys, server.spec, naming.bucket_name(one.ident), self._settings
        login = Login(at.host, at.port, naming.database_users(one.ident)[0], keys.database_password)
        access_key = keys.storage_access_key or name
        bucket = Account(settings.s3_endpoint, settings.s3_region, name, access_key, keys.storage_secret)
        schema, audit = naming.database_name(one.ident), naming.audit_database_name(one.ident)
        return Target({schema: schema, audit: audit}, audit, login, bucket, keys.file_key), bucket

    def _operation(self, ident: str, program: Program, order: MomentOrder | RestoreOrder, login: Login) -> Operation:
        return Operation(
            program=program.name,
            kind="PlatformBackup",
            owner=self._item.metadata,
            steps=program.steps,
            files={ORDER_FILE: order.dump(), CLIENT_FILE: login.option_file()},
            storage_secret=self._settings.backup_secret,
            scratch=program.scratch,
            about=ident,
        )

    async def _finish(self, found: Plans) -> None:
        """Whoever has this Secret is the installation; the operator then goes on with its state."""
        body = key_manifest(self._state.file_key, self._namespace)
        if not await self._cluster.create(body):
            await self._kube.patch(SECRET, KEY_SECRET, {"data": body["data"]}, self._namespace)
        for ident in (naming.PLATFORM_ID, *(one.ident for one in found.fillings)):
            for program in (MOMENT, RESTORE):
                await self._cluster.delete(JOB, runner.name_of(program.name, ident))
        self._say(f"Rebuilt from state {self._number}: this is installation {self._state.installation} from now on")

    @staticmethod
    async def _blocking(function: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  passed on
        return await asyncio.to_thread(function, *arguments, **named)


def _carry_over(store: States, old: str, new: str) -> None:
    """What the lost server's archive says of its beginning and its gaps, the new one's says as well, with one gap more."""
    lost, ours = Positions(store, old), Positions(store, new)
    position, known = lost.load(), {one.begins for one in gaps(store, new)}
    if (beginning := lost.beginning()) is not None:
        ours.begin(beginning)
    between = [Gap(position.connect_state, position.until, int(time.time()) + 1)] if position.gtids else []
    for gap in (*gaps(store, old), *between):
        if gap.begins not in known:
            ours.add_gap(gap)


def _key_in(text: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != platform_state.KEY_BYTES:
        raise RefusedError("standard input has to be the private half of a recovery key: 64 hexadecimal digits")
    return key


async def run(options: argparse.Namespace, key: bytes) -> None:
    """Raises ViveroError."""
    settings = Settings()
    if not settings.backup_secret:
        raise RefusedError("the operator has no backup bucket (backup.secret of the chart)")
    async with AsyncExitStack() as stack:
        kube = await stack.enter_async_context(KubeClient(kube_config.load(), field_manager=c.FIELD_MANAGER))
        backends = BackendClients(settings, PlatformObjects(kube, settings.platform_namespace))
        stack.callback(backends.close)
        store = await backends.backup_bucket()
        numbered = await asyncio.to_thread(platform_state.read, store, key, options.state)
        servers = Servers(settings, kube, store, (await backends.storage()).admin)
        work = Rebuild(servers, numbered, _say, options.leave_out)
        if options.what == "resources":
            listed = await work.resources()
            sys.stdout.write(json.dumps(listed, ensure_ascii=False) + "\n" if listed["items"] else "")
        elif options.what == "key":
            await work.key()
        else:
            await work.all()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="rebuild", description="Rebuild the platform from its backup bucket.")
    parser.add_argument("what", choices=("resources", "all", "key"))
    parser.add_argument("--state", type=int, default=None, help="number of an older state, where the newest is damaged")
    parser.add_argument("--leave-out", action="append", default=[], metavar="ID", help="a tenant that is given up")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(run(options, _key_in(sys.stdin.read(_KEY_BYTES))))
    except ViveroError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
