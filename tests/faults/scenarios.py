"""What people do to a tenant, each as a preparation in peace, an act that faults may strike, and how one sees its end."""

import base64
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from faults.pods import TOO_MUCH_CPU
from faults.rig import Rig, eventually
from faults.state import Names
from reconcile.certificates import secret_body
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeInvalidError, KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET, TENANT, TENANT_POOL, Resource
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import (
    API_VERSION,
    LABEL_SIGNUP,
    PASSWORD_HASH_KEY,
    PLATFORM_NAMESPACE,
    SIGNUPS_NAMESPACE,
    ConditionType,
)
from vivero_core.model.tenant import Tenant

SMALL, LARGE = "faults-small", "faults-large"
OWNER: Final = "owner@example.com"
HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$cBEwr93N3ZgPL2MWqnJHhQ$GUdTGUJp4cYM9wnqnvPElTGHRyKvBbPTiMRyyC3wXYg"


def _plan(name: str, *, connections: int, **workload: object) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "metadata": {"name": name},
        "spec": {
            "displayName": name,
            "price": {"amountCents": 0},
            "limits": {"records": 100 * connections, "connections": connections},
            "undoDays": 0,  # what is looked at after a deletion is that nothing is left
            # What Kubernetes has no room for waits forever: see pods.py.
            "workload": {"cpuRequest": TOO_MUCH_CPU, **workload},
        },
    }


PLANS: Final = (_plan(SMALL, connections=10), _plan(LARGE, connections=20, memoryLimit="300Mi"))


_HOST_WORDS: Final = ("one", "two")
_CERTIFICATE_BEGINS: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CERTIFICATE_DAYS: Final = 20 * 365


def host_of(slug: str, word: str = "one") -> str:
    return f"{slug}-{word}.example.com"


def certificate_of(slug: str, word: str = "one") -> str:
    """Name of the Secret with the certificate of such a host, in the platform's namespace."""
    return f"cert-{slug}-{word}"


def on_hosts(slug: str, *words: str) -> Object:
    """A part of a spec: these hosts, each with its certificate."""
    given = [{"host": host_of(slug, word), "secretName": certificate_of(slug, word)} for word in words]
    return {"hosts": [host_of(slug, word) for word in words], "hostCertificates": given}


def is_ours(item: Object) -> bool:
    """Whether a Tenant or pool is of one of the tests' own plans, which all have names that begin so."""
    return str(item.get("spec", {}).get("plan")).startswith("faults-")


def tenant_body(slug: str, **spec: object) -> Object:
    wanted = {
        "displayName": "Fault test",
        "slug": slug,
        "plan": SMALL,
        "owner": {"email": OWNER, "passwordHashSecret": f"signup-{slug}"},
        **on_hosts(slug, "one"),
        "deletionPolicy": "Delete",
    }
    return {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": {"name": slug}, "spec": wanted | spec}


async def hand_in_certificates(rig: Rig, slug: str) -> None:
    """For all hosts that a scenario may give the tenant."""
    for word in _HOST_WORDS:
        name, host = certificate_of(slug, word), host_of(slug, word)
        body = secret_body(name, host, _CERTIFICATE_BEGINS, days=_CERTIFICATE_DAYS)
        with contextlib.suppress(KubeAlreadyExistsError):
            await rig.kube.create(body)


async def prepare_signup(rig: Rig, slug: str) -> None:
    """What is there before a Tenant is made: the owner's password, and the customer's certificates."""
    await write_password(rig, slug)
    await hand_in_certificates(rig, slug)


async def write_password(rig: Rig, slug: str) -> None:
    await rig.kube.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"signup-{slug}", "namespace": SIGNUPS_NAMESPACE},
            "data": {PASSWORD_HASH_KEY: base64.b64encode(HASH.encode()).decode()},
        }
    )


async def look(rig: Rig, names: Names) -> Tenant | None:
    """The very Tenant; None when it is gone, whatever has its name now."""
    try:
        found = Tenant.parse(await rig.kube.get(TENANT, names.tenant))
    except KubeNotFoundError:
        return None
    return found if found.metadata.uid == names.uid else None


async def change(rig: Rig, names: Names, **spec: object) -> None:
    await rig.kube.patch(TENANT, names.tenant, {"spec": spec})


def _holds(tenant: Tenant | None, kind: ConditionType) -> bool:
    if tenant is None or tenant.status.observed_generation != tenant.metadata.generation:
        return False
    return is_true(tenant.status.conditions, kind)


async def ready(rig: Rig, names: Names) -> bool:
    """Ready, and the pass that made it so has ended: it deletes the password's Secret after it wrote the status."""
    if not _holds(await look(rig, names), ConditionType.READY):
        return False
    try:
        await rig.kube.get(SECRET, names.password_secret, SIGNUPS_NAMESPACE)
    except KubeNotFoundError:
        return True
    return False


async def suspended(rig: Rig, names: Names) -> bool:
    return _holds(await look(rig, names), ConditionType.SUSPENDED)


async def gone(rig: Rig, names: Names) -> bool:
    return await look(rig, names) is None


async def full_again(rig: Rig, names: Names) -> bool:
    """The claimed one serves, and the pool has made another."""
    pool = (await rig.kube.get(TENANT_POOL, names.pool)).get("status", {})
    return pool.get("ready") == 1 and await ready(rig, names)


async def create(rig: Rig, slug: str, **spec: object) -> Names:
    made = await rig.kube.create(tenant_body(slug, **spec))
    return Names(slug, made["metadata"]["uid"], slug)


async def born(rig: Rig, slug: str, **spec: object) -> Names:
    """A Tenant in service."""
    await prepare_signup(rig, slug)
    names = await create(rig, slug, **spec)
    await eventually(lambda: ready(rig, names))
    return names


Done = Callable[[Rig, Names], Awaitable[bool]]


@dataclass(frozen=True)
class Scenario:
    """`prepare` gives the Tenant that the act is about, or none when the act makes it."""

    prepare: Callable[[Rig, str], Awaitable[Names | None]]
    act: Callable[[Rig, str, Names | None], Awaitable[Names]]
    done: Done


def _known(names: Names | None) -> Names:
    assert names is not None
    return names


async def _only_signup(rig: Rig, slug: str) -> None:
    await prepare_signup(rig, slug)


async def _create(rig: Rig, slug: str, _: Names | None) -> Names:
    return await create(rig, slug)


async def _change(rig: Rig, slug: str, names: Names | None) -> Names:
    await change(rig, _known(names), displayName="Another name", plan=LARGE, **on_hosts(slug, "two"))
    return _known(names)


async def _suspend(rig: Rig, _: str, names: Names | None) -> Names:
    await change(rig, _known(names), suspended={"reason": "Unpaid", "message": "Please pay."})
    return _known(names)


async def _suspended(rig: Rig, slug: str) -> Names:
    names = await _suspend(rig, slug, await born(rig, slug))
    await eventually(lambda: suspended(rig, names))
    return names


async def _resume(rig: Rig, _: str, names: Names | None) -> Names:
    await change(rig, _known(names), suspended=None)
    return _known(names)


async def _delete(rig: Rig, _: str, names: Names | None) -> Names:
    await rig.kube.delete(TENANT, _known(names).tenant, uid=_known(names).uid)
    return _known(names)


async def _fill(rig: Rig, slug: str) -> Names:
    """A pool with one spare that can be claimed, and a signup's password."""
    pool = f"pool-{slug}"
    spec = {"plan": SMALL, "size": 1}
    await rig.kube.create({"apiVersion": API_VERSION, "kind": "TenantPool", "metadata": {"name": pool}, "spec": spec})
    await write_password(rig, slug)

    async def full() -> bool:
        return bool((await rig.kube.get(TENANT_POOL, pool)).get("status", {}).get("ready") == 1)

    await eventually(full)
    spare = next(one for one in (await rig.kube.list(TENANT)).items if one["spec"].get("pool") == pool)
    return Names(spare["metadata"]["name"], spare["metadata"]["uid"], slug, pool)


async def _claim(rig: Rig, slug: str, names: Names | None) -> Names:
    found = _known(names)
    version = (await rig.kube.get(TENANT, found.tenant))["metadata"]["resourceVersion"]
    spec: dict[str, Any] = {
        "slug": slug,
        # As a signup does: a spare is made for an owner whose address is not confirmed yet.
        "owner": {"email": OWNER, "passwordHashSecret": f"signup-{slug}", "confirmed": False},
        "displayName": "Claimed",
        "deletionPolicy": "Delete",
        "claimedAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    meta = {"resourceVersion": version, "labels": {LABEL_SIGNUP: slug}}
    await rig.kube.patch(TENANT, found.tenant, {"metadata": meta, "spec": spec})
    return found


SCENARIOS: Final = {
    "birth": Scenario(_only_signup, _create, ready),
    "change": Scenario(born, _change, ready),
    "suspend": Scenario(born, _suspend, suspended),
    "resume": Scenario(_suspended, _resume, ready),
    "claim": Scenario(_fill, _claim, full_again),
    "death": Scenario(born, _delete, gone),
}


def new_slug() -> str:
    return f"faults-{secrets.token_hex(4)}"


async def retire(rig: Rig, names: Names) -> None:
    """Its end, without waiting for it."""
    if names.pool:
        pool = await rig.kube.get(TENANT_POOL, names.pool)
        await rig.kube.delete(TENANT_POOL, names.pool, uid=pool["metadata"]["uid"])
    tenant = await look(rig, names)
    if tenant is not None:
        await rig.kube.delete(TENANT, tenant.name, uid=tenant.metadata.uid)


async def discard(rig: Rig, resource: Resource, name: str) -> None:
    """Returns when it is gone: what Tenants used a moment ago is counted for half a minute."""
    uid = (await rig.kube.get(resource, name))["metadata"]["uid"]

    async def vanished() -> bool:
        try:
            await rig.kube.delete(resource, name, uid=uid)
        except KubeNotFoundError:
            return True
        except KubeInvalidError:
            return False
        return False

    await eventually(vanished, pause=0.5)


async def clean_up(rig: Rig) -> None:
    """What tests have left: pools first, which would fill up again, and Secrets that people have handed in."""
    places = ((TENANT_POOL, None), (TENANT, None), (SECRET, SIGNUPS_NAMESPACE), (SECRET, PLATFORM_NAMESPACE))
    for resource, namespace in places:
        for item in (await rig.kube.list(resource, namespace)).items:
            meta = item["metadata"]
            if is_ours(item) or meta["name"].startswith(("signup-faults-", "cert-faults-")):
                with contextlib.suppress(KubeNotFoundError):
                    await rig.kube.delete(resource, meta["name"], namespace, uid=meta["uid"])
