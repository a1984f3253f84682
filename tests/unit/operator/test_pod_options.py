"""Options of tenants' pods: what is given arrives, what isolation needs stays, and a mistyped field has a name."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from reconcile.world import PLAN, tenant_body
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.instance import Instance
from vivero_operator.manifests import pod_template
from vivero_operator.pod_options import CONTAINER_ISOLATION, ISOLATION, OWN_VARIABLES, PodOptions, with_options
from vivero_operator.settings import Settings

OWN_LABELS = {"app.kubernetes.io/name": "vivero-data-plane", "vivero.dev/tenant": "abc"}
OWN_ENV = [{"name": "VIVERO_TENANT_ID", "value": "abc"}, {"name": "VIVERO_SECRETS_DIR", "value": "/run/vivero"}]
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": OWN_LABELS},
    "spec": {
        "serviceAccountName": "app",
        "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001, **ISOLATION},
        "containers": [
            {
                "name": "app",
                "image": "image:1",
                "env": OWN_ENV,
                "securityContext": {"readOnlyRootFilesystem": True, **CONTAINER_ISOLATION},
            }
        ],
    },
}
EVERYTHING: dict[str, Any] = {
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "tenants", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    "priorityClassName": "tenants",
    "annotations": {"example.com/scrape": "true"},
    "labels": {"team": "tenants"},
    "extraEnv": [
        {"name": "TZ", "value": "UTC"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
    ],
    "podSecurityContext": {"runAsUser": 1000660000, "fsGroup": 1000660000, "seLinuxOptions": {"level": "s0:c26,c5"}},
    "securityContext": {"readOnlyRootFilesystem": True},
}


def merged(**options: object) -> dict[str, Any]:
    return with_options(TEMPLATE, PodOptions.model_validate(options))


def container(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["spec"]["containers"][0]
    return found


def test_nothing_given_changes_nothing() -> None:
    assert merged() == TEMPLATE


def test_everything_given_arrives() -> None:
    template = merged(**EVERYTHING)
    for field in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert template["spec"][field] == EVERYTHING[field]
    assert template["metadata"]["annotations"] == EVERYTHING["annotations"]
    assert template["metadata"]["labels"] == {"team": "tenants", **OWN_LABELS}
    assert container(template)["env"] == [*OWN_ENV, *EVERYTHING["extraEnv"]]
    assert template["spec"]["securityContext"] == {**EVERYTHING["podSecurityContext"], **ISOLATION}


def test_the_template_itself_is_left_alone() -> None:
    before = copy.deepcopy(TEMPLATE)
    merged(**EVERYTHING)
    assert before == TEMPLATE


@pytest.mark.parametrize("empty", [{}, {"runAsUser": None, "runAsGroup": None, "fsGroup": None}])
def test_users_and_groups_can_be_left_to_the_cluster(empty: dict[str, Any]) -> None:
    assert merged(podSecurityContext=empty)["spec"]["securityContext"] == ISOLATION


def test_our_own_labels_and_variables_win() -> None:
    options = PodOptions.model_validate(
        {"labels": {"vivero.dev/tenant": "other"}, "extraEnv": [{"name": "TZ", "value": "UTC"}]}
    )
    own = {"name": "TZ", "value": "CET"}
    template = copy.deepcopy(TEMPLATE)
    container(template)["env"] = [own]
    template = with_options(template, options)
    assert template["metadata"]["labels"] == OWN_LABELS
    assert container(template)["env"] == [own]


def test_no_option_sets_what_a_tenants_pod_sets() -> None:
    settings = Settings(data_plane_image="image:1", data_plane_pod=PodOptions.model_validate(EVERYTHING))
    one = Instance(Tenant.parse(tenant_body()), Plan.parse(PLAN), settings)
    env = container(pod_template.of(one, pod_template.common(one.settings), "c1"))["env"]
    names = [variable["name"] for variable in env]
    assert len(names) == len(set(names))
    ours = set(names) - {variable["name"] for variable in EVERYTHING["extraEnv"]}
    assert ours <= set(OWN_VARIABLES)


@pytest.mark.parametrize("name", OWN_VARIABLES)
def test_the_operators_variables_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=rf"extraEnv\.0\.name\n.*{name} is set by the operator itself"):
        PodOptions.model_validate({"extraEnv": [{"name": name, "value": "1"}]})


def test_every_container_is_isolated_and_gets_the_variables() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["initContainers"] = [{"name": "first"}]
    first = with_options(template, PodOptions.model_validate(EVERYTHING))["spec"]["initContainers"][0]
    assert first["securityContext"].items() >= CONTAINER_ISOLATION.items()
    assert first["env"] == EVERYTHING["extraEnv"]


def test_own_entries_of_lists_stay_first() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"] |= {"imagePullSecrets": [{"name": "own"}], "tolerations": [{"key": "own"}]}
    spec = with_options(template, PodOptions.model_validate(EVERYTHING))["spec"]
    assert [item["name"] for item in spec["imagePullSecrets"]] == ["own", "registry"]
    assert [item["key"] for item in spec["tolerations"]] == ["own", "tenants"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"nodeSelektor": {}}, "nodeSelektor"),
        ({"securityContext": {"privileged": True}}, "securityContext.privileged"),
        ({"securityContext": {"allowPrivilegeEscalation": True}}, "securityContext.allowPrivilegeEscalation"),
        ({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "securityContext.capabilities"),
        ({"securityContext": {"procMount": "Unmasked"}}, "securityContext.procMount"),
        ({"securityContext": {"runAsUser": 0}}, "securityContext.runAsUser"),
        ({"podSecurityContext": {"runAsUser": 0}}, "podSecurityContext.runAsUser"),
        ({"podSecurityContext": {"runAsNonRoot": False}}, "podSecurityContext.runAsNonRoot"),
        ({"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}}, "podSecurityContext.seccompProfile"),
        ({"podSecurityContext": {"sysctls": []}}, "podSecurityContext.sysctls"),
        ({"podSecurityContext": {"seLinuxOptions": {"type": "spc_t"}}}, "podSecurityContext.seLinuxOptions.type"),
        ({"labels": {"team": "two words"}}, "labels.team"),
        ({"nodeSelector": {"disk": True}}, "nodeSelector.disk"),
        ({"tolerations": [{"effect": "Sometimes"}]}, "tolerations.0.effect"),
        ({"affinity": {"nodeAffinty": {}}}, "affinity.nodeAffinty"),
        ({"imagePullSecrets": ["registry"]}, "imagePullSecrets.0"),
        ({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}, "imagePullSecrets"),
        ({"extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "extraEnv"),
        ({"extraEnv": [{"name": "A"}]}, "extraEnv.0"),
        ({"extraEnv": [{"name": "A", "value": 8080}]}, "extraEnv.0.value"),
        ({"extraEnv": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]}, "extraEnv.0.valueFrom.secretKeyRef"),
        ({"priorityClassName": "Not A Name"}, "priorityClassName"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        PodOptions.model_validate(options)
    places = [".".join(str(part) for part in error["loc"]) for error in refusal.value.errors()]
    assert any(place == field or place.startswith(f"{field}.") for place in places), places


ids = st.integers(min_value=1, max_value=2**31 - 1)
names = st.from_regex(r"\A[a-z]([a-z0-9-]{0,10}[a-z0-9])?\Z")
texts = st.dictionaries(names, names, max_size=3)
contexts = st.fixed_dictionaries({}, optional={"runAsUser": ids, "runAsGroup": ids})
variables = st.lists(
    st.builds(lambda name, value: {"name": name, "value": value}, st.sampled_from(["TZ", "VIVERO_LOG_LEVEL"]), names),
    unique_by=lambda item: item["name"],
)
possible = st.fixed_dictionaries(
    {},
    optional={
        "imagePullSecrets": st.lists(st.builds(lambda name: {"name": name}, names), unique_by=str, max_size=3),
        "nodeSelector": texts,
        "tolerations": st.lists(st.builds(lambda key: {"key": key, "operator": "Exists"}, names), max_size=3),
        "priorityClassName": names,
        "annotations": texts,
        "labels": st.dictionaries(st.sampled_from(["team", *OWN_LABELS]), names),
        "extraEnv": variables,
        "podSecurityContext": contexts | st.none(),
        "securityContext": contexts | st.none(),
    },
)


@given(possible)
def test_no_option_takes_isolation_away(options: dict[str, Any]) -> None:
    template = merged(**options)
    pod, app = template["spec"], container(template)
    assert pod["securityContext"].items() >= ISOLATION.items()
    assert app["securityContext"].items() >= CONTAINER_ISOLATION.items()
    assert app["securityContext"].get("privileged") is None
    assert template["metadata"]["labels"].items() >= OWN_LABELS.items()
    assert app["env"][: len(OWN_ENV)] == OWN_ENV
    assert len({variable["name"] for variable in app["env"]}) == len(app["env"])
    assert (pod["serviceAccountName"], app["image"]) == ("app", "image:1")


@given(possible)
def test_the_model_reads_what_it_writes(options: dict[str, Any]) -> None:
    read = PodOptions.model_validate(options)
    assert PodOptions.model_validate(read.dump()) == read
    assert json.loads(json.dumps(with_options(TEMPLATE, read))) == with_options(TEMPLATE, read)


@pytest.fixture(autouse=True)
def _image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:1")


def test_it_travels_as_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().data_plane_pod == PodOptions()
    monkeypatch.setenv("VIVERO_DATA_PLANE_POD", json.dumps(EVERYTHING))
    assert Settings().data_plane_pod == PodOptions.model_validate(EVERYTHING)


def test_a_wrong_variable_stops_the_start_with_the_field_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVERO_DATA_PLANE_POD", json.dumps({"securityContext": {"privileged": True}}))
    with pytest.raises(ValidationError, match=r"data_plane_pod\.securityContext\.privileged"):
        Settings()
