"""Which deleted tenants can be brought back, and how: the Tenant that is made, what stands in the way, the audit log."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from unit.control_plane.builders import NOW, condition, tenant
from vivero_control.domain.audit.service import AuditAction
from vivero_control.domain.deleted.receipts import receipt
from vivero_control.domain.deleted.service import (
    DeletedNotFoundError,
    DeletedTenants,
    Undelete,
    UndeleteRefusedError,
)
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_core.backends.kube.client import Listing
from vivero_core.backends.kube.errors import KubeUnavailableError
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant, TenantSpec

IDENT = "u5g5446au3"
AT = NOW + timedelta(days=13)
WHY = Undelete(reason="A mistake.")
FORMER = {
    "apiVersion": "vivero.dev/v1alpha1",
    "kind": "Tenant",
    "metadata": {"name": "acme"},
    "spec": {
        "displayName": "Acme",
        "slug": "acme",
        "plan": "starter",
        "owner": {"email": "a@b.co"},
        "hosts": ["app.acme.example"],
        "adopt": IDENT,
    },
}


def erasure(ident: str = IDENT, at: str | None = AT.isoformat(), undelete: str | None = json.dumps(FORMER)) -> Any:  # noqa: ANN401  JSON
    made = NOW - timedelta(days=1)
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantErasure",
        "metadata": {"name": ident, "uid": f"uid-{ident}", "creationTimestamp": made.isoformat()},
        "spec": {"id": ident} | ({"at": at} if at else {}),
        "status": {"undelete": undelete} if undelete is not None else {},
    }


class Cluster:
    """Of the client and of the repository what is called."""

    def __init__(self, *erasures: Any, taken: Tenant | None = None, away: bool = False) -> None:  # noqa: ANN401  JSON
        self.erasures = list(erasures)
        self.taken = taken
        self.away = away
        self.made: list[tuple[str, TenantSpec]] = []
        self.audited: list[AuditAction] = []

    async def list(self, *_: object) -> Listing[Any]:
        if self.away:
            raise KubeUnavailableError("kubernetes", "no answer")
        return Listing(self.erasures, "1")

    async def create(self, name: str, spec: TenantSpec, labels: dict[str, str]) -> Tenant:
        assert labels == {}
        self.made.append((name, spec))
        return self.taken or tenant(name, **spec.dump())

    @asynccontextmanager
    async def recording(self, action: AuditAction) -> AsyncIterator[None]:
        self.audited.append(action)
        yield


def service(cluster: Any, *known: Tenant) -> DeletedTenants:  # noqa: ANN401  stands for three
    directory = TenantDirectory()
    directory.synced = True
    for one in known:
        directory.record_write(one)
    return DeletedTenants(cluster, cluster, directory, cluster, lambda: NOW)


async def test_what_is_kept_is_listed_with_its_time_and_nothing_else() -> None:
    others = (
        erasure("aaaaaaaaaa", at=None),
        erasure("bbbbbbbbbb", undelete=None),
        erasure("cccccccccc", at=NOW.isoformat()),
        erasure("dddddddddd", undelete="{}"),
        {"kind": "TenantErasure", "metadata": {"name": "x"}, "spec": {"id": 7}},
    )
    (found,) = await service(Cluster(erasure(), *others)).all()
    assert (found.id, found.name, found.slug, found.owner_email) == (IDENT, "acme", "acme", "a@b.co")
    assert (found.deleted_at, found.erased_at) == (NOW - timedelta(days=1), AT)


async def test_the_first_to_be_erased_comes_first() -> None:
    sooner = erasure("aaaaaaaaaa", at=(AT - timedelta(days=1)).isoformat())
    assert [one.id for one in await service(Cluster(erasure(), sooner)).all()] == ["aaaaaaaaaa", IDENT]


async def test_its_tenant_is_made_as_it_was_and_that_is_audited() -> None:
    cluster = Cluster(erasure())
    await service(cluster).undelete(IDENT, WHY, "ada@vivero.example")
    ((name, spec),) = cluster.made
    assert name == "acme"
    assert (spec.adopt, spec.hosts, spec.plan, spec.deletion_policy) == (
        IDENT,
        ("app.acme.example",),
        "starter",
        "Retain",
    )
    (act,) = cluster.audited
    assert (act.actor, act.action, act.subject, act.reason) == (
        "ada@vivero.example",
        "undelete",
        "tenant/acme",
        "A mistake.",
    )
    assert act.detail == {"id": IDENT}


async def test_one_that_is_back_is_not_listed_any_more() -> None:
    back = tenant("acme", adopt=IDENT)
    assert await service(Cluster(erasure()), back).all() == ()


async def test_one_that_is_erased_by_another_order_is_not_listed_any_more() -> None:
    now = erasure(at=None, undelete=None)
    now["metadata"] = {"name": "request-17"}
    now["status"] = {"begunAt": NOW.isoformat()}
    assert await service(Cluster(erasure(), now)).all() == ()


async def test_an_address_that_is_somebody_elses_is_refused_before_anything_is_made() -> None:
    cluster = Cluster(erasure())
    with pytest.raises(UndeleteRefusedError, match="belongs to the tenant “other”"):
        await service(cluster, tenant("other", slug="acme")).undelete(IDENT, WHY, "ada@vivero.example")
    assert cluster.made == []
    assert cluster.audited == []


async def test_a_name_that_is_somebody_elses_is_refused() -> None:
    cluster = Cluster(erasure(), taken=tenant("acme", slug="acme-of-another"))
    with pytest.raises(UndeleteRefusedError, match="another tenant “acme”"):
        await service(cluster).undelete(IDENT, WHY, "ada@vivero.example")


async def test_nothing_kept_nothing_done() -> None:
    with pytest.raises(DeletedNotFoundError):
        await service(Cluster()).undelete(IDENT, WHY, "ada@vivero.example")


async def test_a_cluster_that_is_away_is_said() -> None:
    with pytest.raises(ClusterUnavailableError):
        await service(cast("Any", Cluster(away=True))).all()


def complete(**status: object) -> Any:  # noqa: ANN401  JSON
    names = {"kind": "tables", "count": 7, "sha256": "0" * 64}
    known = {"begunAt": NOW.isoformat(), "erasedAt": NOW.isoformat(), "erased": [names], "receipt": "erasures/x.json"}
    made = erasure(at=None, undelete=None)
    made["spec"]["orderedBy"] = "request 17"
    return made | {"status": {**known, "conditions": [condition("Complete", reason="Erased")], **status}}


def test_an_erasure_that_is_complete_is_one_entry_of_the_audit_log() -> None:
    entry = receipt(complete())
    assert entry is not None
    assert (entry.action.actor, entry.action.action, entry.action.subject) == (
        "vivero-operator",
        "erase",
        f"tenant-id/{IDENT}",
    )
    assert (entry.action.reason, entry.at) == ("request 17", NOW)
    assert entry.action.detail["erased"] == [{"kind": "tables", "count": 7, "sha256": "0" * 64}]
    again = receipt(complete(message="said in other words"))
    assert again is not None
    assert again.source == entry.source


@pytest.mark.parametrize(
    "body",
    [
        erasure(),
        complete(conditions=[]),
        complete(conditions=[condition("Complete", status="False", reason="Failed")]),
        complete(erasedAt=None),
        {"kind": "TenantErasure", "metadata": {"name": "x"}, "spec": {}},
    ],
)
def test_one_that_is_not_is_none(body: Any) -> None:  # noqa: ANN401  JSON
    assert receipt(body) is None


@pytest.mark.parametrize("reason", [None, *SuspensionReason])
async def test_an_owner_sees_their_own_and_none_that_the_platforms_people_had_closed(
    reason: SuspensionReason | None,
) -> None:
    former = json.loads(json.dumps(FORMER))
    if reason is not None:
        former["spec"]["suspended"] = {"reason": str(reason), "message": ""}
    found = service(Cluster(erasure(undelete=json.dumps(former))))
    by_staff = reason in {SuspensionReason.ABUSE, SuspensionReason.MANUAL}
    assert [one.id for one in await found.owned_by("A@b.co")] == ([] if by_staff else [IDENT])
    for other in ("", "a@b.com", "%"):
        assert await found.owned_by(other) == ()
