"""The tenant's credentials: made once, kept forever, and stored twice before they are used on any server.

A change that a person makes to a password in a Secret is applied. The key
of the files is different: data depends on it, so the escrow's word counts, and
a new one is made only where schema and bucket hold nothing.

Only the API server's word that a Secret is missing leads to a new password; any other error stops the step. So a crash
between any two writes leaves either no password or the one that is used.

An access key that the object store makes itself is issued here, and stored, before it is used; one that a crash kept from
being stored is ended when the next one is used.
"""

import asyncio
import base64
import binascii
import re
import secrets as random
from dataclasses import replace
from typing import Any, Final

from vivero_core.backends.kube.resources import SECRET
from vivero_core.model import naming
from vivero_core.model.constants import ANNOTATION_DATABASE_SERVER, ANNOTATION_LIMITS, Reason

from vivero_operator.escrow.record import Record
from vivero_operator.instance import DatabaseAddress, Manifest, TenantKeys
from vivero_operator.manifests import secrets as manifests
from vivero_operator.policies import allocation, drift, outcome
from vivero_operator.policies.outcome import Blocked, Outcome, Pending, done
from vivero_operator.reconcile.run import Run, Services

Live = dict[str, Manifest]
_AGAIN_SECONDS: Final = 0.5
_PLACES: Final = {
    "database_password": (manifests.DATABASE, "password"),
    "cache_password": (manifests.CACHE, "password"),
    "storage_secret": (manifests.STORAGE, "secret_key"),
    "signing_key": (manifests.APP_KEYS, "signing_key"),
    "file_key": (manifests.APP_KEYS, "file_key"),
    "operator_token": (manifests.APP_KEYS, "operator_token"),
}
"""Where each of the keys stands in a tenant's Secrets."""
_ISSUED: Final = {**_PLACES, "storage_access_key": (manifests.STORAGE, "access_key")}
"""The same where the object store makes access keys: one and its secret belong together."""
_HEXADECIMAL: Final = frozenset({"signing_key", "file_key", "operator_token"})
"""256 bits that the data plane reads as 64 hexadecimal digits."""


def _value(live: Live, name: str) -> str | None:
    """The key of this name as the Secrets hold it; None where it is missing or nothing a program could use."""
    secret, key = _ISSUED[name]
    encoded = live.get(secret, {}).get("data", {}).get(key)
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    if name in _HEXADECIMAL and re.fullmatch("[0-9a-fA-F]{64}", text) is None:
        return None
    return text if text and text.isprintable() else None


def stored(live: Live, *, issued: bool = False) -> dict[str, str]:
    """The usable keys that the Secrets hold; `issued`: the object store makes access keys."""
    found = {name: _value(live, name) for name in (_ISSUED if issued else _PLACES)}
    return _paired({name: value for name, value in found.items() if value is not None}, issued=issued)


def _paired(found: dict[str, str], *, issued: bool) -> dict[str, str]:
    """Without half of an access key: its secret is another one's."""
    pair = {"storage_access_key", "storage_secret"} if issued else set()
    return found if pair <= found.keys() else {name: value for name, value in found.items() if name not in pair}


def complete(live: Live, *, issued: bool = False) -> TenantKeys | None:
    """The keys, when the Secrets hold all of them."""
    found = stored(live, issued=issued)
    return TenantKeys(**found) if found.keys() >= _PLACES.keys() else None


def new_keys() -> TenantKeys:
    """Random ones, of 256 bits each; without an access key, which is never made up."""
    return TenantKeys(**{name: random.token_hex(32) for name in _PLACES})


def joined(live: Live, escrowed: TenantKeys | None, *, new_file_key: bool, issued: bool = False) -> TenantKeys | None:
    """The Secrets' keys, the escrow's where one is missing, new ones where neither has any; 256 bits each.

    An access key is never made up: without one the storage secret opens nothing yet. None when the key of the files is
    nowhere and no new one may be made.
    """
    kept = _paired(escrowed.dump(), issued=issued) if escrowed is not None else {}
    known = {**kept, **stored(live, issued=issued)}
    if "file_key" in kept:
        known["file_key"] = kept["file_key"]
    if "file_key" not in known and not new_file_key:
        return None
    access_key = known.get("storage_access_key") if issued else None
    found = {name: value for name, value in known.items() if value and name in _PLACES}
    return replace(new_keys(), **found, storage_access_key=access_key)


def used(run: Run) -> object:
    """What the steps after this one write to servers and pods."""
    return run.known_address().credentials(run.known_keys())


def _complete(run: Run, live: Live) -> TenantKeys | None:
    return complete(live, issued=run.instance.settings.storage_keys_are_issued)


def server_from(live: Live) -> str | None:
    """The placement that Secret `database` records."""
    annotations: dict[str, Any] = live.get(manifests.DATABASE, {}).get("metadata", {}).get("annotations", {})
    return annotations.get(ANNOTATION_DATABASE_SERVER)


def _needs_record(run: Run, live: Live) -> bool:
    """Whether the Secrets lack keys, or neither the status nor a Secret says where the schema is: the record may."""
    placed = run.tenant.status.database_server is not None or server_from(live) is not None
    return run.record is None and (_complete(run, live) is None or not placed)


def _server_name(run: Run, live: Live, record: Record | None) -> str:
    """Where the schema is, or is to be."""
    tenant, cluster = run.tenant, run.services.cluster
    placed = tenant.status.database_server or (run.record.database_server if run.record else None)
    if placed is not None:
        return placed
    # Nothing was proven there yet: what the spec says counts, and may be corrected.
    begun = cluster.servers.get(server_from(live) or (record and record.database_server) or "")
    begun_on = begun.name if begun is not None and not allocation.never_answered(begun) else None
    wanted = tenant.spec.database_server or begun_on
    if wanted is None:
        chosen = allocation.choose_server(cluster.servers, cluster.placements())
        if chosen is None:
            raise Pending(Reason.NO_DATABASE_SERVER, "No reachable DatabaseServer has capacity for another tenant")
        return chosen
    server = cluster.servers.get(wanted)
    refusal = allocation.refused_server(server, cluster.placements()) if server and wanted != begun_on else None
    if refusal is not None:
        raise Pending(*refusal)
    return wanted


def _address(run: Run, live: Live, record: Record | None = None) -> DatabaseAddress:
    name = _server_name(run, live, record)
    server = run.services.cluster.servers.get(name)
    if server is None:
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, f"DatabaseServer {name} does not exist")
    run.services.cluster.reserve(run.tenant, name)
    return DatabaseAddress.of(server)


def _limits(run: Run, live: Live) -> Manifest:
    """Marked as changed from the first change on: pods that started with other limits have to be notified at once.

    What says no limit is left out: kubelet brings it within two minutes, and a spare's trial ends whenever it is claimed.
    """
    present = live.get(manifests.LIMITS)
    first = manifests.limits(run.instance)
    if present is None:
        return first
    marked = ANNOTATION_LIMITS in present["metadata"].get("annotations", {})
    return manifests.limits(run.instance, changed=marked or manifests.differ_in_limits(present, first))


async def read(run: Run) -> Live:
    """All Secrets of the namespace by name. No selector: one that lost its label is still ours.

    Also of a namespace that was just made: one wrong word about that must not cost the key of a tenant's files.
    """
    listing = await run.kube.list(SECRET, run.instance.namespace)
    return {item["metadata"]["name"]: item for item in listing.items}


async def recall(run: Run) -> Outcome:
    """The current credentials, without a write: someone waits, and a full reconcile follows."""
    live = await read(run)
    keys = _complete(run, live)
    if keys is None:
        raise Pending(Reason.PROVISIONING, "Restoring the credentials", retry_after=_AGAIN_SECONDS)
    run.keys, run.address = keys, _address(run, live)
    return done(Reason.PROVISIONED)


async def ensure(run: Run) -> Outcome:
    live = await read(run)
    record = await run.services.escrow.find(run.instance.id) if _needs_record(run, live) else run.record
    address = _address(run, live, record)
    keys = await _keys(run, live, address, record)
    limits = _limits(run, live)
    wanted = [
        manifests.database(run.instance, keys, address),
        manifests.cache(run.instance, keys),
        manifests.storage(run.instance, keys),
        manifests.app(run.instance, keys),
        limits,
    ]
    changed = [one for one in wanted if drift.differs(one, live.get(one["metadata"]["name"]))]
    _expect_news(run, live, changed)
    if any(
        drift.is_immutable(one, live[one["metadata"]["name"]]) for one in changed if one["metadata"]["name"] in live
    ):
        # It is deleted before it is made again, and may hold the only copy of a key.
        await run.services.escrow.save(run.instance, keys, address.server)
    async with asyncio.TaskGroup() as group:
        # Beside each other: whichever is there after a crash, the other one is completed from it.
        group.create_task(run.services.escrow.save(run.instance, keys, address.server))
        for one in changed:
            group.create_task(run.write(one, live.get(one["metadata"]["name"])))
    run.keys, run.address = keys, address
    run.limits_changed = ANNOTATION_LIMITS in limits["metadata"].get("annotations", {})
    return done(Reason.PROVISIONED)


def _expect_news(run: Run, live: Live, changed: list[Manifest]) -> None:
    """A changed Secret is to be written to the server of that name, and that is no drift."""
    for one in changed:
        name = one["metadata"]["name"]
        if drift.applied(live.get(name)) != drift.applied(one):
            run.state.expect_news(run.tenant.metadata.uid, name)


async def _keys(run: Run, live: Live, address: DatabaseAddress, record: Record | None) -> TenantKeys:
    keys, escrow = _complete(run, live), run.services.escrow
    if keys is not None and escrow.is_saved(run.instance, keys, address.server):
        return keys
    if record is None and not _needs_record(run, live):
        record = await escrow.find(run.instance.id)
    keys = await recovered(run, live, record.keys if record else None, address.server)
    if run.instance.settings.storage_keys_are_issued and keys.storage_access_key is None:
        return await with_new_access_key(run.services, run.instance.id, keys)
    return keys


async def with_new_access_key(services: Services, ident: str, keys: TenantKeys) -> TenantKeys:
    """The keys with an access key that the object store has just issued; to be saved before it is used."""
    storage = await services.backends.storage()
    made = await storage.breaker.call(storage.admin.new_key, naming.bucket_name(ident))
    return replace(keys, storage_access_key=made.name, storage_secret=made.secret)


async def replace_access_key(run: Run) -> None:
    """The object store does not have the key that is stored: another one, stored before it is used."""
    keys = await with_new_access_key(run.services, run.instance.id, run.known_keys())
    server = run.known_address().server
    live = await read(run)
    async with asyncio.TaskGroup() as group:
        group.create_task(run.services.escrow.save(run.instance, keys, server))
        group.create_task(run.write(manifests.storage(run.instance, keys), live.get(manifests.STORAGE)))


async def recovered(run: Run, live: Live, escrowed: TenantKeys | None, server: str) -> TenantKeys:
    """From Secrets and escrow; the key of the files is new only where no data depends on the old one.

    Raises:
        Blocked: the key of the files is nowhere.
    """
    issued = run.instance.settings.storage_keys_are_issued
    found = joined(live, escrowed, new_file_key=False, issued=issued)
    if found is None and await _may_make_file_key(run, server):
        found = joined(live, escrowed, new_file_key=True, issued=issued)
    if found is None:
        run.lost = True
        raise Blocked(Reason.KEYS_LOST, outcome.of_keys(run.instance.id))
    return found


async def _may_make_file_key(run: Run, server: str) -> bool:
    """Nothing can depend on a key of a tenant that begins in this pass, or that holds no data, or gave it up.

    Whether it begins the finalizer says: a namespace that is new may be one that was deleted by hand. A spare has never
    been used.
    """
    if run.tenant.accepts_data_loss:
        return True
    begins = run.begins or run.tenant.is_spare
    return not run.established and (begins or not await holds_data(run, server))


async def holds_data(run: Run, server_name: str) -> bool:
    """Whether schema or bucket contain data, checked on the servers."""
    server = run.services.cluster.servers.get(server_name)
    if server is not None:
        database = await run.services.backends.database(server)
        if await database.breaker.call(database.admin.holds_data, naming.database_name(run.instance.id)):
            return True
    storage = await run.services.backends.storage()
    return await storage.breaker.call(storage.admin.holds_data, naming.bucket_name(run.instance.id))
