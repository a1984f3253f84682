"""The tenant list of staff, and names of tenants in the audit log."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from unit.control_plane.builders import NOW, condition, spare_body, tenant_body
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.plans.service import PlanInformer, PlanService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import TenantUnreadableError
from vivero_control.domain.tenants.policies import timestamp
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import TRIAL_SOON, Only, Suspend, TenantQuery, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_core.backends.kube.client import KubeClient, Listing
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import LABEL_SIGNUP

CLAIMED = tenant_body("trial-k3v9q", slug="acme", displayName="Bähr KG", pool="trials")
CLAIMED["metadata"]["labels"] = {LABEL_SIGNUP: "5f2c"}


ODD = tenant_body("odd-one", displayName="Odd AG", trialEndsAt="9999-12-31T23:59:59-14:00", hosts=["app.odd.com"])
ODDER = tenant_body("odder", displayName=7, slug=["x"], owner="nobody", plan={"a": 1}, hosts=7)


class Cluster(KubeClient):
    """Has one object, which an older CRD accepted before times were bounded."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any]:
        del resource, name, namespace
        return self._body


@pytest.fixture
def tenants() -> TenantService:
    directory = TenantDirectory()
    deleted_spare = spare_body("trial-gone2")
    deleted_spare["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    directory.apply(Listing([CLAIMED, tenant_body("halden"), spare_body("trial-x7k2m"), deleted_spare], "9"))
    return service(directory)


def service(directory: TenantDirectory, body: dict[str, Any] | None = None) -> TenantService:
    return TenantService(
        directory=directory,
        repository=TenantRepository(Cluster(body or {}), "vivero-signups"),
        plans=PlanService(PlanInformer()),
        audit=cast("AuditService", None),
        tenant_url=lambda slug: f"https://{slug}.example.com",
        domain="example.com",
        clock=lambda: NOW,
    )


def found(tenants: TenantService, query: TenantQuery) -> set[str]:
    return {row.name for row in tenants.search(query).items}


def test_spares_are_hidden_unless_requested(tenants: TenantService) -> None:
    assert found(tenants, TenantQuery()) == {"trial-k3v9q", "halden"}
    assert tenants.search(TenantQuery()).total == 2
    assert found(tenants, TenantQuery(search="trial")) == {"trial-k3v9q"}
    assert found(tenants, TenantQuery(state=TenantState.STANDBY)) == {"trial-x7k2m", "trial-gone2"}
    (row, *_) = tenants.search(TenantQuery(state=TenantState.STANDBY)).items
    assert (row.slug, row.owner_email, row.url) == (None, None, None)


def test_those_that_want_a_look_are_found_by_why() -> None:
    directory = TenantDirectory()
    unconfirmed = {"email": "owner@new.example", "confirmed": False}
    bodies = [
        tenant_body("soon", trialEndsAt=timestamp(NOW + TRIAL_SOON)),
        tenant_body("later", trialEndsAt=timestamp(NOW + TRIAL_SOON + timedelta(seconds=1))),
        tenant_body("over", trialEndsAt=timestamp(NOW)),
        tenant_body("new", owner=unconfirmed, trialEndsAt=timestamp(NOW + timedelta(days=20))),
        tenant_body("sold", plan="starter"),
    ]
    directory.apply(Listing(bodies, "9"))
    tenants = service(directory)
    assert found(tenants, TenantQuery(only=Only.TRIAL_ENDING)) == {"soon"}
    assert found(tenants, TenantQuery(only=Only.UNCONFIRMED)) == {"new"}
    assert found(tenants, TenantQuery(only=Only.UNCONFIRMED, search="soon")) == set()


def test_a_claimed_tenant_is_found_by_its_slug_and_linked_to_it(tenants: TenantService) -> None:
    (row,) = tenants.search(TenantQuery(search="ACME")).items
    assert (row.name, row.slug, row.url) == ("trial-k3v9q", "acme", "https://acme.example.com")


def test_the_history_of_a_claimed_tenant_begins_with_its_signup(tenants: TenantService) -> None:
    assert tenants.subjects("trial-k3v9q") == ("tenant/trial-k3v9q", "signup/5f2c")
    assert tenants.subjects("halden") == ("tenant/halden",)
    assert tenants.subjects("never-made") == ("tenant/never-made",)


@pytest.mark.parametrize("body", [ODD, ODDER])
async def test_an_unreadable_tenant_is_listed_with_the_reason_and_takes_no_actions(body: dict[str, Any]) -> None:
    directory = TenantDirectory()
    directory.apply(Listing([body, tenant_body("halden")], "9"))
    tenants = service(directory, body)
    name = body["metadata"]["name"]
    rows = {row.name: row for row in tenants.search(TenantQuery()).items}
    assert set(rows) == {name, "halden"}
    assert rows[name].state is TenantState.UNREADABLE
    assert "spec." in rows[name].message
    assert found(tenants, TenantQuery(state=TenantState.UNREADABLE)) == {name}
    detail = await tenants.get(name)
    assert (detail.tenant.state, detail.tenant.message) == (TenantState.UNREADABLE, rows[name].message)
    msgspec.json.encode(detail)
    with pytest.raises(TenantUnreadableError, match="kubectl"):
        await tenants.suspend(name, Suspend(reason="by mistake"), "ada")


async def test_readable_fields_of_an_unreadable_tenant_are_shown() -> None:
    directory = TenantDirectory()
    directory.apply(Listing([ODD], "9"))
    (row,) = service(directory).search(TenantQuery(search="odd ag")).items
    assert (row.slug, row.url, row.owner_email) == (
        "odd-one",
        "https://odd-one.example.com",
        "owner@odd-one.example.com",
    )


def test_the_operators_summary_comes_first() -> None:
    directory = TenantDirectory()
    ready = condition("Ready", "False", "Starting", "The pod starts.")
    old, new, closed = (tenant_body(name, conditions=[ready]) for name in ("old", "new-one", "closed"))
    new["status"]["message"] = "1 of 1 pods run the wanted revision."
    closed["status"] = {"observedGeneration": 1, "conditions": [], "message": "Suspended: unpaid."}
    closed["spec"]["suspended"] = {"reason": "Unpaid", "message": ""}
    directory.apply(Listing([old, new, closed], "9"))
    messages = {row.name: row.message for row in service(directory).search(TenantQuery()).items}
    assert messages == {
        "old": "The pod starts.",
        "new-one": "1 of 1 pods run the wanted revision.",
        "closed": "Suspended: unpaid.",
    }


def test_a_trial_made_by_hand_shows_its_end() -> None:
    directory = TenantDirectory()
    body = tenant_body("by-hand")
    body["status"]["trialEndsAt"] = "2026-12-01T02:00:00+02:00"
    directory.apply(Listing([body], "9"))
    (row,) = service(directory).search(TenantQuery()).items
    assert row.trial_ends_at == datetime(2026, 12, 1, tzinfo=UTC)


async def test_what_of_a_tenant_can_be_brought_back_is_told_as_the_operator_says() -> None:
    said = {
        "from": "2026-11-08T12:00:00Z",
        "to": "2026-11-22T11:00:00Z",
        "lastProof": "2026-11-22T03:00:00Z",
        "proofResult": "Passed",
        "message": "Passed",
    }
    proven, unknown = tenant_body("halden"), tenant_body("other")
    proven["status"] = proven.get("status", {}) | {"recovery": said}
    detail = await service(TenantDirectory(), proven).get("halden")
    assert msgspec.to_builtins(detail)["recovery"] == {
        "from": "2026-11-08T12:00:00Z",
        "to": "2026-11-22T11:00:00Z",
        "last_proof": "2026-11-22T03:00:00Z",
        "proof_result": "Passed",
        "message": "Passed",
    }
    assert (await service(TenantDirectory(), unknown).get("other")).recovery is None
