"""What a platform engineer does with kubectl alone."""

from typing import Any

import pytest
import yaml

from .conftest import EXAMPLE, Kubectl, tenant


def test_example_becomes_ready_and_is_shown(kubectl: Kubectl) -> None:
    name = yaml.safe_load(EXAMPLE.read_text())["metadata"]["name"]
    kubectl("apply", "-f", str(EXAMPLE))
    try:
        kubectl("wait", "--for=condition=Ready", f"tenant/{name}", "--timeout=60s")
        header, row = kubectl("get", "vt", name).splitlines()
        assert header.split() == ["NAME", "READY", "STATUS", "PLAN", "TRIAL-ENDS", "VERSION", "URL", "AGE"]
        assert row.split()[1] == "True"
        assert f"https://{yaml.safe_load(EXAMPLE.read_text())['spec']['slug']}.vivero.localhost" in row
    finally:
        kubectl("patch", "tenant", name, "--type=merge", "-p", '{"spec":{"deletionPolicy":"Delete"}}')
        kubectl("delete", "-f", str(EXAMPLE), "--timeout=80s")


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
