"""The real API server's refusals, as people are told them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from integration.control_plane.support import Names, signup_body
from vivero_control.domain.tenants.errors import TenantRefusedError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.tenant import TenantSpec

CRD = yaml.safe_load((Path(__file__).parents[3] / "crds/tenants.yaml").read_text())


def sentences(schema: Any) -> set[str]:  # noqa: ANN401  a JSON schema
    """Of every rule of the definition."""
    found = {one["message"] for one in schema.get("x-kubernetes-validations", ())}
    parts = [*schema.get("properties", {}).values(), schema.get("items", {})]
    return found.union(*map(sentences, parts)) if any(parts) else found


RULES = sentences(CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
GOOD = {"displayName": "Acme", "slug": "acme-refused", "plan": "trial", "owner": {"email": "a@example.com"}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "A--b"}, "slug"),
        ({"slug": "www"}, "slug"),
        ({"displayName": " Acme"}, "displayName"),
        ({"hosts": ["Nobody"]}, "hosts"),
        ({"owner": {"email": "nobody, really"}}, "owner.email"),
        ({"plan": "starter", "trialEndsAt": "2026-12-01T00:00:00Z"}, "spec"),
        ({"claimedAt": "2026-12-01T00:00:00Z"}, "spec"),
    ],
)
async def test_a_rule_is_told_whole_and_by_its_field(kube: KubeClient, changes: dict[str, Any], field: str) -> None:
    tenants = TenantRepository(kube, "vivero-signups")
    spec = TenantSpec.model_validate(GOOD | changes)
    with pytest.raises(TenantRefusedError) as caught:
        await tenants.create("acme-refused", spec, {})
    (error,) = caught.value.errors
    assert error.field == field
    assert error.message in RULES, "as it stands in the definition"
    assert error.message in caught.value.detail


def test_a_signup_is_told_in_its_own_fields(
    client: httpx.Client, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's name that only the cluster refuses: our own rule is set aside."""
    monkeypatch.setattr("vivero_control.domain.signups.policies.company_problem", lambda _: None)
    answer = client.post("/api/v1/signups", json=signup_body(names.new(), company="a\u2028b"))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "company"
    assert error["message"] in RULES
