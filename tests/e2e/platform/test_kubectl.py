"""What a platform engineer does with kubectl alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.cluster import EXAMPLE, Kubectl, status_of, tenant
from vivero_dev.localhost import local_client


def test_the_example_becomes_a_workspace_that_its_owner_enters(kubectl: Kubectl, platform: dict[str, Any]) -> None:
    kubectl("apply", "-f", str(EXAMPLE))
    try:
        kubectl("wait", "--for=condition=Ready", "tenant/example", "--timeout=60s")
        header, row = kubectl("get", "vt", "example").splitlines()
        assert header.split() == ["NAME", "READY", "STATUS", "PLAN", "TRIAL-ENDS", "VERSION", "RELEASE", "URL", "AGE"]
        assert row.split()[:3] == ["example", "True", "Healthy"]
        url = status_of(kubectl, "vt", "example")["url"]
        assert url in row
        with local_client(Path(platform["ca"])) as client:
            login = {"email": "owner@example.com", "password": "vivero-example-2026"}
            token = client.post(f"{url}/api/v1/auth/login", json=login).raise_for_status().json()["access_token"]
            me = client.get(f"{url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        assert me.json()["email"] == "owner@example.com"
    finally:
        kubectl("delete", "-f", str(EXAMPLE), "--ignore-not-found", "--timeout=80s")


def test_every_field_of_the_spec_is_explained(kubectl: Kubectl) -> None:
    explained = kubectl("explain", "tenant.spec", "--recursive=false")
    for field in ("displayName", "slug", "plan", "owner", "trialEndsAt", "suspended", "deletionPolicy", "adopt"):
        assert field in explained
    assert "<no description>" not in explained


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"slug": "admin"}, "reserved"),
        ({"slug": "Robert'); DROP"}, "slug must be"),
        ({"trialEndsAt": "2030-01-01T00:00:00Z"}, "only on plan trial"),
        ({"owner": {"email": "nobody"}}, "mail address"),
        ({"hosts": ["not a host"]}, "DNS names"),
        ({"suspended": {"reason": "Whim"}}, "Unsupported value"),
        ({"deletionPolicy": "Shred"}, "Unsupported value"),
        ({"displayName": ""}, "should be at least 1 chars long"),
        ({"displayName": "x" * 81}, "may not be more than 80"),
    ],
)
def test_an_invalid_tenant_is_refused_in_words(kubectl: Kubectl, spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        kubectl("apply", "-f", "-", given=yaml.safe_dump(tenant("refused", **spec)))
    assert "refused" not in kubectl("get", "tenants", "-o", "name")


def test_plans_of_the_price_list_are_there(kubectl: Kubectl) -> None:
    names = set(kubectl("get", "vplan", "-o", "name").split())
    assert {f"plan.vivero.dev/{name}" for name in ("trial", "starter", "professional", "enterprise")} <= names
