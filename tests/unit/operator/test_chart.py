"""What the chart says agrees with what the program reads. Helm's own checks render it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.manifests import namespace
from vivero_operator.settings import Settings

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts/vivero-operator"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
PLANS = {name: Plan.parse({"metadata": {"name": name}, "spec": spec}) for name, spec in VALUES["plans"].items()}


@pytest.mark.parametrize(
    ("plan", "euros", "records", "users", "floor"),
    [
        ("trial", 0, 10_000, 5, False),
        ("starter", 2_000, 50_000, 20, False),
        ("professional", 5_000, 500_000, None, False),
        ("enterprise", 15_000, None, None, True),
    ],
)
def test_the_price_list(plan: str, euros: int, records: int | None, users: int | None, *, floor: bool) -> None:
    spec = PLANS[plan].spec
    assert spec.price.amount_cents == euros * 100
    assert (spec.limits.records, spec.limits.users, spec.price.starting_at) == (records, users, floor)


def test_only_the_trial_is_one() -> None:
    assert {name: plan.spec.trial_days for name, plan in PLANS.items() if plan.spec.trial_days} == {"trial": 30}


def test_every_variable_is_a_setting() -> None:
    templates = "\n".join(file.read_text() for file in (CHART / "templates").iterdir() if file.is_file())
    names = {name.lower() for name in re.findall(r"name: VIVERO_([A-Z0-9_]+)", templates)}
    assert names <= set(Settings.model_fields)
    assert "data_plane_image" in names


def test_nothing_is_granted_by_wildcard() -> None:
    text = (CHART / "templates/rbac.yaml").read_text()
    for one in (text, (CHART / "files/kinds.yaml").read_text()):
        assert "*" not in re.sub(r"#.*", "", one)
    assert not re.search(r"\b(escalate|impersonate|deletecollection)\b", text)
    assert re.findall(r"resourceNames: \[(.*)\]\n    verbs: \[bind\]", text) == [namespace.CLUSTER_ROLE]
    assert text.count("bind]") == 1


def test_routes_of_both_kinds_have_the_same_rights() -> None:
    """But in the platform's own namespace: the pages of suspended custom hosts are there, and those have Ingresses alone."""
    found: dict[str, list[str]] = {"ingresses": [], "httproutes": []}
    for role in (CHART / "templates/rbac.yaml").read_text().split("\n---\n"):
        for kind, verbs in found.items():
            verbs.extend(re.findall(rf"resources: \[{kind}\b.*\]\n    verbs: \[(.*)\]", role))
    changes = "get, create, patch, delete"
    assert found == {"ingresses": ["list, watch", changes, changes], "httproutes": ["list, watch", changes]}


def test_what_the_operator_may_do_with_our_kinds() -> None:
    """Word for word of those that hold what was sold; what follows for another one, its line in the registry says."""
    rules = yaml.safe_load((CHART / "files/kinds.yaml").read_text())["rules"]
    found = {one["resources"][0]: " ".join(one["verbs"]) for one in rules[:-1]}
    assert all(one["apiGroups"] == ["vivero.dev"] for one in rules)
    assert [len(one["resources"]) for one in rules[:-1]] == [1] * len(found)
    expected = {
        "tenants": "get list watch patch create delete",
        "plans": "get list watch patch",
        "databaseservers": "get list watch patch",
        "tenantpools": "get list watch",
        "releases": "get list watch create delete",
    }
    assert expected.items() <= found.items()
    assert rules[-1] == {
        "apiGroups": ["vivero.dev"],
        "resources": [f"{plural}/status" for plural in found],
        "verbs": ["get", "patch"],
    }
    assert 'Files.Get "files/kinds.yaml"' in (CHART / "templates/rbac.yaml").read_text()


def test_the_example_is_a_tenant_with_its_password() -> None:
    secret, body = yaml.safe_load_all((ROOT / "docs/examples/tenant.yaml").read_text())
    owner = Tenant.parse(body).spec.owner
    assert owner is not None
    assert secret["metadata"] == {"name": owner.password_hash_secret, "namespace": "vivero-signups"}
    assert secret["stringData"]["password_hash"].startswith("$argon2id$")
