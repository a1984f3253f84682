"""Which tenants staff find, and under which names the audit log has them."""

from typing import cast

import pytest
from unit.control_plane.builders import NOW, spare_body, tenant_body
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.plans.repository import PlanMirror
from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import TenantQuery, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_core.backends.kube.client import Listing
from vivero_core.model.constants import LABEL_SIGNUP

CLAIMED = tenant_body("trial-k3v9q", slug="acme", displayName="Bähr KG", pool="trials")
CLAIMED["metadata"]["labels"] = {LABEL_SIGNUP: "5f2c"}


@pytest.fixture
def tenants() -> TenantService:
    directory = TenantDirectory()
    deleted_spare = spare_body("trial-gone2")
    deleted_spare["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    directory.take(Listing([CLAIMED, tenant_body("halden"), spare_body("trial-x7k2m"), deleted_spare], "9"))
    return TenantService(
        directory=directory,
        repository=cast("TenantRepository", None),
        plans=PlanService(PlanMirror()),
        audit=cast("AuditService", None),
        tenant_url=lambda slug: f"https://{slug}.example.com",
        clock=lambda: NOW,
    )


def found(tenants: TenantService, query: TenantQuery) -> set[str]:
    return {row.name for row in tenants.search(query).items}


def test_spares_are_no_customers_unless_asked_for(tenants: TenantService) -> None:
    assert found(tenants, TenantQuery()) == {"trial-k3v9q", "halden"}
    assert tenants.search(TenantQuery()).total == 2
    assert found(tenants, TenantQuery(search="trial")) == {"trial-k3v9q"}
    assert found(tenants, TenantQuery(state=TenantState.STANDBY)) == {"trial-x7k2m", "trial-gone2"}
    (row, *_) = tenants.search(TenantQuery(state=TenantState.STANDBY)).items
    assert (row.slug, row.owner_email, row.url) == (None, None, None)


def test_a_claimed_tenant_is_found_by_its_slug_and_linked_to_it(tenants: TenantService) -> None:
    (row,) = tenants.search(TenantQuery(search="ACME")).items
    assert (row.name, row.slug, row.url) == ("trial-k3v9q", "acme", "https://acme.example.com")


def test_the_history_of_a_claimed_tenant_begins_with_its_signup(tenants: TenantService) -> None:
    assert tenants.subjects("trial-k3v9q") == ("tenant/trial-k3v9q", "signup/5f2c")
    assert tenants.subjects("halden") == ("tenant/halden",)
    assert tenants.subjects("never-made") == ("tenant/never-made",)
