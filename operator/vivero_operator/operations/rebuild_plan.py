"""What a rebuild has to do, by the platform's state and by what was erased since. Pure; rebuild.py does it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model.base import Resource
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.escrow import record as records
from vivero_operator.escrow import sealing
from vivero_operator.escrow.sealing import SealingKeys
from vivero_operator.instance import TenantKeys
from vivero_operator.operations.platform_state import Body, State

PEOPLES: Final[tuple[type[Resource], ...]] = (Plan, TenantPool, TenantErasure)
"""Kinds whose objects people make: the operator may not."""
_NOT_KEPT: Final = (c.LABEL_POOL, c.LABEL_RELEASE)
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Filling:
    """A tenant whose data is to be brought back."""

    ident: str
    keys: TenantKeys = field(repr=False)
    server: str
    """Name of its DatabaseServer."""
    record: Body = field(repr=False)
    """The Secret with its keys."""
    tenant: Body | None
    """The Tenant that adopts the data; None: it is kept for a Tenant that was deleted."""
    backup: str | None
    """UID of the newest TenantBackup that is complete, for where no log is archived."""

    @property
    def name(self) -> str:
        """For people."""
        return str(self.tenant["metadata"]["name"]) if self.tenant is not None else f"retained {self.ident}"


@dataclass(frozen=True)
class Plans:
    """What is to be brought back, and what is not."""

    fillings: tuple[Filling, ...]
    others: tuple[Body, ...]
    """Secrets with keys of which nothing is brought back: of spares, or what nobody can open."""
    erased: tuple[str, ...]
    """Ids that the state still knows, and that were erased since."""
    unreadable: tuple[str, ...]
    """Ids whose keys nobody can open."""
    servers: Mapping[str, str]
    """Names of DatabaseServers, and the UIDs that they had."""


def plans(state: State, number: int, erased: Collection[str]) -> Plans:
    """Of this state, which has this number."""
    sealing_keys = SealingKeys(state.current_key, {name: bytes.fromhex(key) for name, key in state.escrow_keys.items()})
    tenants = {one.id: (one, body) for one, body in _parsed(Tenant, state)}
    newest = _newest_backups(one for one, _ in _parsed(TenantBackup, state))
    fillings, others, gone, unreadable = [], [], set[str](), []
    for secret in state.records:
        ident = secret["metadata"]["name"].removeprefix(records.name(""))
        tenant, _ = tenants.get(ident, (None, None))
        if ident in erased:
            gone.add(ident)
            continue
        key, sealed = records.sealed_in(secret)
        keys = sealing.unseal(sealing_keys, key, ident, sealed)
        server = secret["metadata"].get("annotations", {}).get(c.ANNOTATION_DATABASE_SERVER)
        if keys is None or server is None:
            unreadable.append(ident)
            others.append(_as_it_was(secret, {}))
        elif tenant is not None and tenant.is_spare:
            continue  # another one is made
        else:
            manifest = _adopting(tenant, number) if tenant is not None else None
            fillings.append(Filling(ident, keys, server, retained(secret), manifest, newest.get(ident)))
    gone |= tenants.keys() & set(erased)
    servers = {one.name: one.metadata.uid for one, _ in _parsed(DatabaseServer, state)}
    return Plans(tuple(fillings), tuple(others), tuple(sorted(gone)), tuple(unreadable), servers)


def for_people(state: State, present: Mapping[str, Collection[str]]) -> list[Body]:
    """Manifests of what people make, but for what is there by name (kind to names) and what has ended."""
    found = []
    for model in PEOPLES:
        kind = model.__name__
        for body in state.of_kind(kind):
            name = body["metadata"]["name"]
            if name in present.get(kind, ()) or body.get("status", {}).get("erasedAt"):
                continue
            found.append({"apiVersion": c.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": body["spec"]})
    return found


def retained(secret: Mapping[str, Any]) -> Body:
    """The record of data that waits for the Tenant that adopts it."""
    return _as_it_was(secret, {c.LABEL_RETAINED: secret["metadata"]["name"].removeprefix(records.name(""))})


def _as_it_was(secret: Mapping[str, Any], labels: Mapping[str, str]) -> Body:
    """For the platform's namespace, whichever that is now."""
    meta = secret["metadata"]
    kept = {
        "name": meta["name"],
        "labels": {**meta.get("labels", {}), **labels},
        "annotations": meta.get("annotations", {}),
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": kept, "type": secret["type"], "data": secret["data"]}


def _parsed(model: type[Any], state: State) -> list[tuple[Any, Body]]:
    return [(model.parse(body), body) for body in state.of_kind(model.__name__)]


def _newest_backups(backups: Iterable[TenantBackup]) -> dict[str, str]:
    """Tenant's id -> UID of the newest TenantBackup that holds its data."""
    complete = [one for one in backups if one.status.prefix is not None and one.status.taken_at is not None]
    ordered = sorted(complete, key=lambda one: (one.status.taken_at, one.name))
    return {str(one.status.prefix).partition("/")[0]: one.metadata.uid for one in ordered}


def _adopting(tenant: Tenant, number: int) -> Body | None:
    """The Tenant with the data that it had; None for one that was being deleted."""
    if tenant.metadata.deletion_timestamp is not None:
        return None
    spec = tenant.spec
    owner = spec.owner.model_copy(update={"password_hash_secret": None}) if spec.owner is not None else None
    ends = (spec.trial_ends_at or tenant.status.trial_ends_at) if spec.plan == c.PLAN_TRIAL else None
    gone = dict.fromkeys(("pool", "claimed_at", "accept_data_loss_at", "database_server"))
    wanted = spec.model_copy(update={"adopt": tenant.id, "owner": owner, "trial_ends_at": ends} | gone)
    labels = {name: value for name, value in tenant.metadata.labels.items() if name not in _NOT_KEPT}
    annotations = {name: value for name, value in tenant.metadata.annotations.items() if name != _LAST_APPLIED}
    return {
        "apiVersion": c.API_VERSION,
        "kind": "Tenant",
        "metadata": {
            "name": tenant.name,
            "labels": labels,
            "annotations": annotations | {c.ANNOTATION_REBUILT: str(number)},
        },
        "spec": wanted.dump(),
    }
