"""Data or keys of a tenant go for good: nothing new is made in their place until a person says so, or brings them back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from faults.hands import removal, remove_namespace, remove_record, sql
from faults.looks import AGAIN_SECONDS, at_rest, go_on, is_blocked, lost_at, pause, says, stays, told
from faults.rig import Rig, eventually
from faults.scenarios import change, gone, look, ready, retire
from faults.state import Names
from faults.workspace import TABLE
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, SECRET, TENANT, Resource
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_RETAINED, PLATFORM_NAMESPACE, ConditionType, Reason
from vivero_operator.escrow import record
from vivero_operator.manifests import secrets as keys

Act = Callable[[Rig, Names], Awaitable[None]]


@dataclass(frozen=True)
class Loss:
    """How data goes, how it comes back, and whether it is there."""

    happens: Act
    restore: Act
    there: Callable[[Rig, Names], bool]


def _schema(names: Names) -> str:
    return naming.database_name(names.id)


def _bucket(names: Names) -> str:
    return naming.bucket_name(names.id)


async def _drop_bucket(rig: Rig, names: Names) -> None:
    await asyncio.to_thread(rig.servers.storage.delete_bucket, _bucket(names))


async def _make_bucket(rig: Rig, names: Names) -> None:
    await asyncio.to_thread(rig.servers.storage.ensure_bucket, _bucket(names), _bucket(names))


_TABLE: Final = f"CREATE TABLE `{{schema}}`.{TABLE} (text VARCHAR(100))"
LOSSES: Final[Mapping[str, Loss]] = {
    "schema": Loss(
        sql("DROP DATABASE `{schema}`"),
        sql("CREATE DATABASE `{schema}`", _TABLE),
        lambda rig, names: rig.servers.database.database_exists(_schema(names)),
    ),
    "tables": Loss(
        sql(f"DROP TABLE `{{schema}}`.{TABLE}"),
        sql(_TABLE),
        lambda rig, names: rig.servers.database.holds_data(_schema(names)),
    ),
    "bucket": Loss(_drop_bucket, _make_bucket, lambda rig, names: rig.servers.storage.bucket_exists(_bucket(names))),
}


async def _suffer(rig: Rig, names: Names, loss: Loss) -> str:
    """Since when it is told."""
    await loss.happens(rig, names)
    await eventually(lambda: is_blocked(rig, names, Reason.DATA_LOST))
    await eventually(lambda: told(rig, names, Reason.DATA_LOST))

    async def nothing_new() -> bool:
        return not await asyncio.to_thread(loss.there, rig, names) and not await ready(rig, names)

    await stays(nothing_new)
    return await lost_at(rig, names)


async def restored(rig: Rig, loss: Loss) -> None:
    """What is brought back is what it was, proven again."""
    names = await at_rest(rig)
    before = await look(rig, names)
    await _suffer(rig, names, loss)
    await loss.restore(rig, names)
    await eventually(lambda: ready(rig, names), AGAIN_SECONDS)
    after = await look(rig, names)
    assert before is not None
    assert after is not None
    assert after.status.data_lost_at is None
    assert _proof(after.status.proven_at) > _proof(before.status.proven_at)
    await retire(rig, names)


def _proof(at: datetime | None) -> datetime:
    assert at is not None
    return at


async def given_up(rig: Rig, loss: Loss) -> None:
    """A person gives up this loss, and no later one."""
    names = await at_rest(rig)
    first = await _suffer(rig, names, loss)
    # Another moment than the one that is told is no order.
    await change(rig, names, acceptDataLossAt="2026-01-01T00:00:00Z")
    await stays(lambda: is_blocked(rig, names, Reason.DATA_LOST), 5)
    await change(rig, names, acceptDataLossAt=first)
    await eventually(lambda: ready(rig, names), AGAIN_SECONDS)
    assert await asyncio.to_thread(loss.there, rig, names)
    second = await _suffer(rig, names, loss)
    assert second != first
    await retire(rig, names)


async def _there(rig: Rig, resource: Resource, name: str, namespace: str) -> bool:
    try:
        await rig.kube.get(resource, name, namespace)
    except KubeNotFoundError:
        return False
    return True


@dataclass(frozen=True)
class Backup:
    """Both copies of a tenant's keys, as a person has put them away."""

    app: Object
    record: Object


def _again(live: Object) -> Object:
    """As a backup writes it: without what the API server gives."""
    meta = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    kept: Object = {key: live[key] for key in ("apiVersion", "kind", "type", "data") if key in live}
    return {**kept, "metadata": meta}


async def _lose_keys(rig: Rig, names: Names, *, namespace: bool) -> Backup:
    """While the operator looks away, both copies go."""
    app = await rig.kube.get(SECRET, keys.APP_KEYS, naming.namespace_name(names.id))
    held = await rig.kube.get(SECRET, record.name(names.id), PLATFORM_NAMESPACE)
    await pause(rig, names)
    await remove_record(rig, names)
    await (remove_namespace if namespace else removal(SECRET, keys.APP_KEYS))(rig, names)
    await go_on(rig, names)
    return Backup(_again(app), _again(held))


async def _nothing_is_made(rig: Rig, names: Names, *, namespace: bool) -> None:
    where = naming.namespace_name(names.id)

    async def nothing() -> bool:
        keys_there = await _there(rig, SECRET, keys.APP_KEYS, where) or await _there(
            rig, SECRET, record.name(names.id), PLATFORM_NAMESPACE
        )
        started = namespace and await _there(rig, DEPLOYMENT, "app", where)
        return not keys_there and not started

    await eventually(lambda: is_blocked(rig, names, Reason.KEYS_LOST))
    await stays(nothing)


async def keys_lost(rig: Rig, *, namespace: bool, from_record: bool) -> None:
    """Either copy heals, and the key of the files is the same."""
    names = await at_rest(rig)
    before = await rig.collector.credentials(names.id)
    backup = await _lose_keys(rig, names, namespace=namespace)
    await _nothing_is_made(rig, names, namespace=namespace)
    await rig.kube.create(backup.record if from_record else backup.app)
    await eventually(lambda: ready(rig, names), AGAIN_SECONDS)
    after = await rig.collector.credentials(names.id)
    assert after["app"]["file_key"] == before["app"]["file_key"]
    assert await _there(rig, SECRET, record.name(names.id), PLATFORM_NAMESPACE)
    await retire(rig, names)


async def keys_given_up(rig: Rig) -> None:
    names = await at_rest(rig)
    before = await rig.collector.credentials(names.id)
    await _lose_keys(rig, names, namespace=False)
    await _nothing_is_made(rig, names, namespace=False)
    await change(rig, names, acceptDataLossAt=await lost_at(rig, names))
    await eventually(lambda: ready(rig, names), AGAIN_SECONDS)
    after = await rig.collector.credentials(names.id)
    assert after["app"]["file_key"] != before["app"]["file_key"]
    await retire(rig, names)


async def deletion_waits_for_keys(rig: Rig) -> None:
    """Data that is to be kept is not kept without its key: the deletion says what it waits for."""
    names = await at_rest(rig, deletionPolicy="Retain")
    backup = await _lose_keys(rig, names, namespace=False)
    await rig.kube.delete(TENANT, names.tenant, uid=names.uid)
    await eventually(lambda: _says_keys(rig, names))
    await stays(lambda: _not(gone(rig, names)))
    await rig.kube.create(backup.app)
    await eventually(lambda: gone(rig, names), AGAIN_SECONDS)
    kept = await rig.kube.get(SECRET, record.name(names.id), PLATFORM_NAMESPACE)
    assert kept["metadata"]["labels"][LABEL_RETAINED] == names.id
    await erase_retained(rig, names)


async def _says_keys(rig: Rig, names: Names) -> bool:
    tenant = await look(rig, names)
    message = (tenant.status.message or "") if tenant is not None else ""
    return await says(rig, names, Reason.DELETING, ConditionType.READY) and "key of this tenant's files" in message


async def _not(answer: Awaitable[bool]) -> bool:
    return not await answer


async def erase_retained(rig: Rig, names: Names) -> None:
    """By the way that people have: adopted, and deleted with its data."""
    heir = {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": names.tenant},
        "spec": {
            "displayName": "Heir",
            "slug": names.slug,
            "plan": "faults-small",
            "owner": {"email": "owner@example.com"},
            "deletionPolicy": "Delete",
            "adopt": names.id,
        },
    }
    made = await rig.kube.create(heir)
    known = Names(names.tenant, made["metadata"]["uid"], names.slug)
    await eventually(lambda: ready(rig, known))
    await retire(rig, known)


FLOWS: Final[Mapping[str, Callable[[Rig], Awaitable[None]]]] = {
    **{f"{name} lost and restored": partial(restored, loss=loss) for name, loss in LOSSES.items()},
    **{f"{name} lost and given up": partial(given_up, loss=loss) for name, loss in LOSSES.items()},
    "keys lost, Secret restored": partial(keys_lost, namespace=False, from_record=False),
    "keys lost, record restored": partial(keys_lost, namespace=False, from_record=True),
    "keys lost with the namespace, record restored": partial(keys_lost, namespace=True, from_record=True),
    "keys lost and given up": keys_given_up,
    "keys lost, deletion waits": deletion_waits_for_keys,
}
