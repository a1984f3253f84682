"""The tenant's credentials: made once, kept for ever, and written before any server hears of them.

Our own Secrets are read first. Only the API server's word that one is missing leads to a new password; any other
error stops the step. So a crash between any two writes leaves either no password or the one that is used.
"""

import asyncio
import base64
import secrets as random
from typing import Any

from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.constants import ANNOTATION_DATABASE_SERVER, ANNOTATION_LIMITS, Reason

from vivero_operator.instance import DatabaseAddress, Keys
from vivero_operator.manifests import secrets as manifests
from vivero_operator.manifests.common import Manifest
from vivero_operator.policies import drift, placement
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run

Live = dict[str, Manifest]
_AGAIN_SECONDS = 0.5


def _value(live: Live, secret: str, key: str) -> str | None:
    encoded = live.get(secret, {}).get("data", {}).get(key)
    return base64.b64decode(encoded).decode() if encoded else None


def keys_from(live: Live, retained_file_key: str | None) -> Keys:
    """What the Secrets hold; what they lack is made anew, 256 bits each."""

    def kept(secret: str, key: str) -> str:
        return _value(live, secret, key) or random.token_hex(32)

    return Keys(
        database_password=kept(manifests.DATABASE, "password"),
        cache_password=kept(manifests.CACHE, "password"),
        storage_secret=kept(manifests.STORAGE, "secret_key"),
        signing_key=kept(manifests.APP_KEYS, "signing_key"),
        # A retained bucket can only be read with the key its files were written with.
        file_key=_value(live, manifests.APP_KEYS, "file_key") or retained_file_key or random.token_hex(32),
        operator_token=kept(manifests.APP_KEYS, "operator_token"),
    )


def server_from(live: Live) -> str | None:
    """The placement that Secret `database` records."""
    annotations: dict[str, Any] = live.get(manifests.DATABASE, {}).get("metadata", {}).get("annotations", {})
    return annotations.get(ANNOTATION_DATABASE_SERVER)


def _server_name(run: Run, live: Live) -> str | None:
    """Where the schema is, or is to be."""
    cluster, tenant = run.services.cluster, run.tenant
    known = server_from(live) or tenant.status.database_server
    if known is None and run.record is not None:
        known = run.record.database_server
    return known or tenant.spec.database_server or placement.choose(cluster.servers, cluster.placements())


def _address(run: Run, live: Live) -> DatabaseAddress:
    name = _server_name(run, live)
    if name is None:
        raise Pending(Reason.NO_DATABASE_SERVER, "No database server has room for another tenant")
    server = run.services.cluster.servers.get(name)
    if server is None:
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, f"DatabaseServer {name} does not exist")
    run.services.cluster.reserve(run.tenant, name)
    return DatabaseAddress.of(server)


def _limits(run: Run, live: Live) -> Manifest:
    """Marked as changed from the first change on: pods that started with other limits have to be told at once.

    The end of a trial is no limit: kubelet brings it within two minutes, and a spare gets one whenever it is claimed.
    """
    present = live.get(manifests.LIMITS)
    first = manifests.limits(run.instance)
    if present is None:
        return first
    marked = ANNOTATION_LIMITS in present["metadata"].get("annotations", {})
    return manifests.limits(run.instance, changed=marked or manifests.differ_but_for_trial(present, first))


async def read(run: Run) -> Live:
    """All Secrets of the namespace by name. No selector: one that lost its label is still ours.

    Also of a namespace that was just made: one wrong word about that must not cost the key of a tenant's files.
    """
    listing = await run.kube.list(SECRET, run.instance.namespace)
    return {item["metadata"]["name"]: item for item in listing.items}


async def recall(run: Run) -> Outcome:
    """The credentials as they stand, without a write: somebody waits, and a whole pass follows."""
    live = await read(run)
    if not {manifests.DATABASE, manifests.APP_KEYS} <= live.keys():
        raise Pending(Reason.PROVISIONING, "The credentials are made anew", retry_after=_AGAIN_SECONDS)
    run.keys, run.address = keys_from(live, None), _address(run, live)
    return done(Reason.PROVISIONED)


async def ensure(run: Run) -> Outcome:
    live = await read(run)
    address = _address(run, live)
    keys = keys_from(live, run.record.file_key if run.record else None)
    limits = _limits(run, live)
    wanted = [
        manifests.database(run.instance, keys, address),
        manifests.cache(run.instance, keys),
        manifests.storage(run.instance, keys),
        manifests.app(run.instance, keys),
        limits,
    ]
    changed = [one for one in wanted if drift.differs(one, live.get(one["metadata"]["name"]))]
    async with asyncio.TaskGroup() as group:
        for one in changed:
            group.create_task(run.write(one, live.get(one["metadata"]["name"])))
    run.keys, run.address = keys, address
    run.limits_changed = ANNOTATION_LIMITS in limits["metadata"].get("annotations", {})
    return done(Reason.PROVISIONED)
