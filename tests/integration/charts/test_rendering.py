"""What the charts render with the real Helm, all three programs alike: pods are placed, pulled and secured as told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_core.model.constants import LABEL_TENANT
from vivero_dev.errors import ComponentError
from vivero_operator.pod_options import PodOptions
from vivero_operator.settings import CONTOUR_ROUTES, CONTOUR_SERVICES, Gateway, Settings

ROOT = Path(__file__).parents[3]
PROGRAMS = ("vivero-operator", "vivero-control-plane", "vivero-data-plane")
DIGEST = "sha256:" + "0123456789abcdef" * 4
NO_IDS = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"))

Json = dict[str, Any]
Render = Callable[..., list[Json]]

programs = pytest.mark.parametrize("chart", PROGRAMS)


def pods(objects: list[Json]) -> list[Json]:
    """Every pod template and the pod of `helm test`."""
    templates = [item["spec"]["template"] for item in objects if item["kind"] == "Deployment"]
    return [*templates, *(item for item in objects if item["kind"] == "Pod")]


def containers(pod: Json) -> list[Json]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def ci(chart: str, name: str) -> Json:
    values: Json = yaml.safe_load((ROOT / "charts" / chart / "ci" / f"{name}.yaml").read_text())
    return values


@programs
@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "localhost/vivero/{name}:0.1.0"),
        ({"tag": "1.2.3"}, "localhost/vivero/{name}:1.2.3"),
        ({"digest": DIGEST}, "localhost/vivero/{name}@" + DIGEST),
        ({"repository": "registry.example:5000/{name}", "tag": "1", "digest": DIGEST}, "registry.example:5000/{name}@" + DIGEST),
    ],
)  # fmt: skip
def test_an_image_is_named_by_tag_or_digest(chart: str, image: Json, reference: str, render: Render) -> None:
    name = chart.removeprefix("vivero-")
    told = {key: value.format(name=name) for key, value in image.items()}
    found = {container["image"] for pod in pods(render(chart, {"image": told})) for container in containers(pod)}
    assert found == {reference.format(name=name)}


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({"tag": "1.2.3"}, "localhost/vivero/data-plane:1.2.3"),
        ({"tag": "1.2.3", "digest": DIGEST}, f"localhost/vivero/data-plane@{DIGEST}"),
    ],
)
def test_so_is_the_tenants(image: Json, reference: str, render: Render) -> None:
    assert operator_variable(render("vivero-operator", {"dataPlane": {"image": image}}), "IMAGE") == reference


@programs
def test_pods_go_where_they_are_told(chart: str, render: Render) -> None:
    values = ci(chart, "everything")
    found = pods(render(chart, values))
    assert len(found) >= 2
    for pod in found:
        for field in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"):
            assert pod["spec"][field] == values[field]


def operator_pod(render: Render, values: Json) -> PodOptions:
    """What the operator is told of its own pods, as it reads that."""
    (pod,) = (one for one in pods(render("vivero-operator", values)) if one["metadata"].get("name") is None)
    told = {one["name"]: one.get("value") for one in containers(pod)[0]["env"]}
    return PodOptions.model_validate_json(told["VIVERO_OPERATOR_POD"])


def test_pods_of_operations_go_where_the_operators_own_do(render: Render) -> None:
    values = ci("vivero-operator", "everything")
    told = operator_pod(render, values).dump()
    for field in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert told[field] == values[field]
    assert (told["labels"], told["annotations"]) == (values["podLabels"], values["podAnnotations"])
    ids = operator_pod(render, {}).pod_security_context
    assert ids is not None
    assert ids.dump() == {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}
    openshift = operator_pod(render, ci("vivero-operator", "openshift")).pod_security_context
    assert openshift is not None
    assert openshift.dump() == {}, "OpenShift chooses them"


@programs
def test_the_programs_pods_get_labels_annotations_and_variables(chart: str, render: Render) -> None:
    values = ci(chart, "everything")
    for item in render(chart, values):
        if item["kind"] == "ServiceAccount" and not item["metadata"]["name"].endswith("-test"):
            assert item["metadata"]["annotations"] == values["serviceAccount"]["annotations"]
        if item["kind"] != "Deployment":
            continue
        template = item["spec"]["template"]
        assert template["metadata"]["annotations"] == values["podAnnotations"]
        assert template["metadata"]["labels"]["team"] == values["podLabels"]["team"]
        selector = item["spec"]["selector"]["matchLabels"]
        assert template["metadata"]["labels"].items() >= selector.items(), "podLabels cannot break it"
        assert all(container["env"][-1] == values["extraEnv"][-1] for container in containers(template))
        (spread,) = template["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"] == {"matchLabels": selector}
        assert spread["topologyKey"] == "topology.kubernetes.io/zone"


@programs
def test_openshift_chooses_users_and_groups(chart: str, render: Render) -> None:
    for pod in pods(render(chart, ci(chart, "openshift"))):
        assert pod["spec"]["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        for container in containers(pod):
            assert not set(container["securityContext"]) & {"runAsUser", "runAsGroup"}


@programs
def test_security_contexts_change_key_by_key_down_to_nothing(chart: str, render: Render) -> None:
    large = 1_000_660_000  # a number that YAML readers like to write as 1.00066e+09
    for pod in pods(render(chart, {"podSecurityContext": {"runAsUser": large, "fsGroup": None}})):
        context = pod["spec"]["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (large, 10001, True)
        assert "fsGroup" not in context
    nothing = {
        "podSecurityContext": NO_IDS | {"runAsNonRoot": None, "seccompProfile": None},
        "securityContext": dict.fromkeys(("allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities")),
    }
    for pod in pods(render(chart, nothing)):
        assert "securityContext" not in pod["spec"]
        assert all("securityContext" not in container for container in containers(pod))


@programs
def test_the_defaults_are_what_a_restricted_namespace_takes(chart: str, render: Render) -> None:
    for pod in pods(render(chart)):
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@programs
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"imagePullSecret": "registry"}, "imagePullSecret"),
        ({"imagePullSecrets": ["registry"]}, "/imagePullSecrets/0"),
        ({"image": {"digest": "sha256:123"}}, "/image/digest"),
        ({"image": {"repository": "registry.example/x@sha256"}}, "/image/repository"),
        ({"image": {"tag": 1.2}}, "/image/tag"),
        ({"nodeSelector": {"ssd": True}}, "/nodeSelector/ssd"),
        ({"tolerations": [{"efect": "NoSchedule"}]}, "efect"),
        ({"affinity": {"nodeAfinity": {}}}, "nodeAfinity"),
        ({"topologySpreadConstraints": [{"topologyKey": "zone"}]}, "/topologySpreadConstraints/0"),
        ({"podSecurityContext": {"runAsUserName": 1}}, "runAsUserName"),
        ({"podSecurityContext": {"runAsUser": "root"}}, "/podSecurityContext/runAsUser"),
        ({"securityContext": {"readOnlyRootFileSystem": True}}, "readOnlyRootFileSystem"),
        ({"extraEnv": [{"name": "A"}]}, "/extraEnv/0"),
        ({"extraEnv": {"A": "B"}}, "/extraEnv"),
        ({"podLabels": {"a": 1}}, "/podLabels/a"),
        ({"serviceAccount": {"annotation": {}}}, "annotation"),
    ],
)
def test_a_wrong_value_is_named(chart: str, values: Json, field: str, render: Render) -> None:
    with pytest.raises(ComponentError) as refusal:
        render(chart, values)
    assert field in refusal.value.reason


@programs
def test_a_variable_of_the_chart_is_not_set_twice(chart: str, render: Render) -> None:
    with pytest.raises(ComponentError, match=r"extraEnv: VIVERO_\S+ is set by the chart itself"):
        render(
            chart, {"extraEnv": [{"name": name, "value": "1"} for name in ("VIVERO_PUBLIC_URL", "VIVERO_BASE_DOMAIN")]}
        )


@pytest.mark.parametrize("chart", [*PROGRAMS, "vivero-crds"])
def test_a_cluster_that_is_too_old_is_refused(chart: str, render: Render) -> None:
    assert render(chart, {}, "--kube-version=1.30.0")
    with pytest.raises(ComponentError, match=r"requires kubeVersion: >=1\.30"):
        render(chart, {}, "--kube-version=1.29.14")


def operator_variables(objects: list[Json]) -> list[Json]:
    (deployment,) = (item for item in objects if item["kind"] == "Deployment")
    return list(deployment["spec"]["template"]["spec"]["containers"][0]["env"])


def operator_variable(objects: list[Json], name: str) -> str:
    variables = operator_variables(objects)
    return str(next(variable["value"] for variable in variables if variable["name"] == f"VIVERO_DATA_PLANE_{name}"))


@pytest.mark.parametrize("name", ["minimal", "everything", "openshift", "digest", "gateway"])
def test_the_operator_reads_what_the_chart_writes(name: str, render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ci("vivero-operator", name)
    for variable in operator_variables(render("vivero-operator", values)):
        if "value" in variable:
            monkeypatch.setenv(variable["name"], variable["value"])
    read, told = Settings(), values.get("ingress", {})
    assert read.ingress_annotations == told.get("annotations", CONTOUR_ROUTES)
    assert read.ingress_service_annotations == told.get("serviceAnnotations", CONTOUR_SERVICES)
    assert read.wildcard_tls == told.get("wildcardTls", "delegated")
    assert read.gateway == (Gateway(**values["gateway"]) if "gateway" in values else None)


@pytest.mark.parametrize("name", ["minimal", "everything", "openshift", "digest"])
def test_options_of_tenants_pods_reach_the_operator(name: str, render: Render) -> None:
    values = ci("vivero-operator", name)
    read = PodOptions.model_validate_json(operator_variable(render("vivero-operator", values), "POD"))
    told = values.get("dataPlane", {}).get("pod", {})
    expected = {"podSecurityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}} | told
    assert read.security_context is not None
    assert (
        read.dump().items()
        >= PodOptions.model_validate(expected)
        .model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
        .items()
    )


@pytest.mark.parametrize(
    ("pod", "field"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"securityContext": {"privileged": True}}, "privileged"),
        ({"podSecurityContext": {"runAsUser": 0}}, "runAsUser"),
        ({"labels": {"team": "two words"}}, "/labels/team"),
        ({"extraEnv": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]}, "secretKeyRef"),
        ({"extraEnv": [{"name": "VIVERO_TENANT_ID", "value": "x"}]}, "/extraEnv/0/name"),
    ],
)
def test_tenants_pods_cannot_be_told_out_of_isolation(pod: Json, field: str, render: Render) -> None:
    with pytest.raises(ComponentError) as refusal:
        render("vivero-operator", {"dataPlane": {"pod": pod}})
    assert field in refusal.value.reason


@pytest.mark.parametrize("chart", ["vivero-control-plane", "vivero-data-plane"])
def test_every_ingress_answers_with_the_way_to_https_alone(chart: str, render: Render) -> None:
    found = [item for item in render(chart, ci(chart, "minimal")) if item["kind"] == "Ingress"]
    assert found
    for item in found:
        assert item["metadata"]["annotations"]["ingress.kubernetes.io/force-ssl-redirect"] == "true"
        assert {rule["host"] for rule in item["spec"]["rules"]} <= {
            name for one in item["spec"]["tls"] for name in one["hosts"]
        }


@pytest.mark.parametrize("chart", ["vivero-control-plane", "vivero-data-plane"])
@pytest.mark.parametrize(
    ("name", "kind", "other"), [("minimal", "Ingress", "HTTPRoute"), ("gateway", "HTTPRoute", "Ingress")]
)
def test_routes_are_of_one_kind(chart: str, name: str, kind: str, other: str, render: Render) -> None:
    kinds = [item["kind"] for item in render(chart, ci(chart, name))]
    assert kind in kinds
    assert other not in kinds


def test_with_a_gateway_hosts_and_certificates_are_its_listeners(render: Render) -> None:
    values = ci("vivero-control-plane", "gateway")
    route, plain = (one for one in render("vivero-control-plane", values) if one["kind"] == "HTTPRoute")
    assert [one["sectionName"] for one in route["spec"]["parentRefs"]] == ["control-plane", "workspaces"]
    assert route["spec"]["hostnames"] == ["example.com", "*.example.com"]
    assert "hostnames" not in plain["spec"], "Contour takes those that other listeners name from this one"
    assert [one["sectionName"] for one in plain["spec"]["parentRefs"]] == ["http"]
    assert [set(rule) for rule in plain["spec"]["rules"]] == [{"filters"}], "nothing is answered in the clear"
    values["gateway"]["httpListener"] = ""
    assert len([one for one in render("vivero-control-plane", values) if one["kind"] == "HTTPRoute"]) == 1


@pytest.mark.parametrize(
    ("chart", "values", "field"),
    [
        ("vivero-operator", {"gateway": {"name": "Not a name"}}, "/gateway/name"),
        ("vivero-operator", {"gateway": {"listener": ""}}, "/gateway/listener"),
        ("vivero-operator", {"gateway": {"sectionName": "https"}}, "sectionName"),
        ("vivero-control-plane", {"gateway": {"wildcardListener": None}}, "wildcardListener"),
        ("vivero-control-plane", {"gateway": {"httplistener": "http"}}, "httplistener"),
        ("vivero-data-plane", {"httpRoute": {"enabled": True}}, "/httpRoute/parentRefs"),
        ("vivero-data-plane", {"httpRoute": {"parentRefs": [{"gateway": "platform"}]}}, "gateway"),
    ],
)
def test_a_gateway_that_cannot_be_one_is_refused(chart: str, values: Json, field: str, render: Render) -> None:
    with pytest.raises(ComponentError) as refusal:
        render(chart, values)
    assert field in refusal.value.reason


def test_no_certificate_of_the_control_plane_is_for_two_hosts(render: Render) -> None:
    (item,) = (
        one for one in render("vivero-control-plane", ci("vivero-control-plane", "minimal")) if one["kind"] == "Ingress"
    )
    hosts = {one["secretName"]: one["hosts"] for one in item["spec"]["tls"]}
    assert hosts == {"control-plane-tls": ["example.com"], "wildcard-tls": ["*.example.com"]}


@programs
def test_a_test_pod_is_reached_by_no_service_and_passes_the_policies(chart: str, render: Render) -> None:
    objects = render(chart, ci(chart, "everything"))
    (test,) = (item for item in objects if item["kind"] == "Pod")
    labels = test["metadata"]["labels"].items()
    chosen = [
        item["spec"].get("selector") or item["spec"].get("podSelector")
        for item in objects
        if item["kind"] in {"Service", "NetworkPolicy"}
    ]
    assert not any(selector.get("matchLabels", selector).items() <= labels for selector in chosen)
    for policy in (item for item in objects if item["kind"] == "NetworkPolicy"):
        if policy["metadata"]["name"] == "vivero-operations":
            assert policy["spec"]["ingress"] == [], "nobody calls an operation"
            continue
        if policy["metadata"]["name"] == "vivero-archivers":
            ((peer,),) = [rule["from"] for rule in policy["spec"]["ingress"]]
            no_tenant = {"key": LABEL_TENANT, "operator": "DoesNotExist"}
            assert peer == {"namespaceSelector": {"matchExpressions": [no_tenant]}}, "tenants do not ask an archiver"
            continue
        # Operator: health and metrics are one port, open to all.
        port = 8081 if chart == "vivero-operator" else "http"
        rules = [rule for rule in policy["spec"]["ingress"] if port in {entry["port"] for entry in rule["ports"]}]
        peers = [peer for rule in rules for peer in rule.get("from", [{"podSelector": {}}])]
        pods_of_ours = [peer["podSelector"].get("matchLabels", {}) for peer in peers if "podSelector" in peer]
        assert any(selector.items() <= labels for selector in pods_of_ours)


def test_values_are_json_for_the_program(render: Render) -> None:
    assert json.loads(operator_variable(render("vivero-operator"), "POD"))["nodeSelector"] == {}


def test_every_account_of_the_charts_has_rights_that_are_known(render: Render) -> None:
    """Those of the two programs on the platform are asked of the API server (integration/operator/test_rights.py)."""
    objects = [item for chart in PROGRAMS for item in render(chart, ci(chart, "everything"))]
    accounts = {item["metadata"]["name"]: item for item in objects if item["kind"] == "ServiceAccount"}
    bindings = [item for item in objects if item["kind"] in {"RoleBinding", "ClusterRoleBinding"}]
    bound = {subject["name"] for binding in bindings for subject in binding["subjects"]}
    workspace = accounts.keys() - {"vivero-operator", "vivero-control-plane", "vivero-operator-test"}
    assert bound == accounts.keys() - workspace
    assert [accounts[name]["automountServiceAccountToken"] for name in workspace] == [False]
    (asks,) = (item for item in objects if (item["kind"], item["metadata"]["name"]) == ("Role", "vivero-operator-test"))
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["vivero-operator"]}
    assert asks["rules"] == [lease | {"verbs": ["get"]}]


def test_a_workspaces_reports_have_an_address_of_their_own(render: Render) -> None:
    """Told by a Secret's name, and to the operator; no value of it is in an object."""
    secrets = {"secret": "ours", "workspaces": {"secret": "theirs"}}
    told = {one["name"]: one for one in operator_variables(render("vivero-operator", {"telemetry": secrets}))}
    assert told["VIVERO_WORKSPACE_TELEMETRY_SECRET"]["value"] == "theirs"
    own = {"name": "ours", "key": "sentry_dsn", "optional": True}
    assert told["VIVERO_SENTRY_DSN"]["valueFrom"]["secretKeyRef"] == own
    quiet = {one["name"] for one in operator_variables(render("vivero-operator", {}))}
    assert quiet.isdisjoint({"VIVERO_WORKSPACE_TELEMETRY_SECRET", "VIVERO_SENTRY_DSN"})


@pytest.mark.parametrize("named", ["", "theirs"])
def test_a_workspace_by_itself_finds_that_address_where_its_program_looks(named: str, render: Render) -> None:
    (pod,) = (
        one
        for one in pods(render("vivero-data-plane", {"telemetry": {"secret": named}}))
        if one["metadata"].get("name") is None
    )
    sources = [
        source["secret"]
        for volume in pod["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
        if "secret" in source
    ]
    found = [one for one in sources if one["name"] == "theirs"]
    items = [{"key": "sentry_dsn", "path": "telemetry/sentry_dsn"}]
    assert found == ([{"name": "theirs", "items": items, "optional": True}] if named else [])
