# ruff: noqa: ANN401  what is any JSON value here
import base64
import json
from typing import Any

import pytest
from reconcile.world import NOW, PLAN, tenant_body
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.escrow import record
from vivero_operator.instance import APP_PORT, METRICS_PORT, DatabaseAddress, Instance, PlatformFiles, TenantKeys
from vivero_operator.manifests import copies, event, http_route, ingress, namespace, pod_template, secrets
from vivero_operator.policies import drift
from vivero_operator.policies.room import Room
from vivero_operator.settings import Gateway, Settings

KEYS = TenantKeys("db-pw", "cache-pw", "s3-pw", "sign", "file", "token")
ADDRESS = DatabaseAddress("main", "db.example", 3306)

GATEWAY = Gateway(name="platform", namespace="projectcontour", listener="workspaces")


def instance(
    *,
    plan: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    **spec: Any,
) -> Instance:
    priced = {**PLAN, "spec": {**PLAN["spec"], **(plan or {})}}
    return Instance(
        Tenant.parse({**tenant_body(**spec), "status": status or {}}),
        Plan.parse(priced),
        Settings(data_plane_image="image:1", **(settings or {})),
    )


def deployed(one: Instance, settings: Settings | None = None, credentials: str = "c1") -> dict[str, Any]:
    template = pod_template.of(one, pod_template.common(settings or one.settings), credentials)
    return pod_template.deployment(one, template)


def quota(one: Instance) -> dict[str, Any]:
    return namespace.quota(one, Room.of(one.plan.spec.workload))


ALL = (
    namespace.build,
    namespace.rights,
    copies.account,
    lambda one: copies.platform(one, PlatformFiles("CA", "KEY")),
    deployed,
    ingress.service,
    ingress.build,
    lambda one: ingress.build_hosts(one, ["app.example.com"]),
    lambda one: ingress.build_suspended(one, ["app.example.com"]),
    lambda one: http_route.build(one, gateway=GATEWAY),
    namespace.network,
    quota,
    lambda one: secrets.app(one, KEYS),
    secrets.limits,
    namespace.disruptions,
)


def decoded(manifest: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}


@pytest.mark.parametrize("build", ALL)
def test_every_object_is_labelled_and_sealed(build: Any) -> None:
    one = instance(hosts=["app.example.com"])
    manifest = build(one)
    assert manifest["metadata"]["labels"]["vivero.dev/tenant"] == one.id
    assert manifest["metadata"]["annotations"]["vivero.dev/applied"]
    assert manifest == build(one)
    assert not drift.differs(manifest, json.loads(json.dumps(manifest)))


def test_only_what_was_never_sent_is_tried_again() -> None:
    """A route that retried anything else would store a record twice."""
    one = instance(hosts=["app.example.com"])
    for made in (ingress.build(one), ingress.build_hosts(one, ["app.example.com"])):
        assert made["metadata"]["annotations"]["projectcontour.io/retry-on"] == "connect-failure"
    (rule,) = http_route.build(one, gateway=GATEWAY)["spec"]["rules"]
    assert set(rule) == {"backendRefs", "timeouts"}, "the Gateway API's retry knows no such bound"


def test_a_removed_field_is_noticed() -> None:
    one = instance()
    with_both, without = (
        ingress.build_hosts(one, hosts) for hosts in (["a.example.com", "b.example.com"], ["a.example.com"])
    )
    live = {**with_both, "spec": {**without["spec"], "more": 1}}
    assert drift.differs(without, live)


def test_the_namespace_says_whose_it_is_and_restricts_pods() -> None:
    meta = namespace.build(instance())["metadata"]
    assert meta["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert meta["annotations"]["vivero.dev/tenant-name"] == "acme"
    assert meta["annotations"]["vivero.dev/tenant-uid"] == instance().tenant.metadata.uid


def test_secrets_hold_what_the_data_plane_reads() -> None:
    one = instance()
    assert decoded(secrets.database(one, KEYS, ADDRESS)) == {
        "username": f"vt{one.id}a",
        "password": "db-pw",
        "host": "db.example",
        "port": "3306",
        "name": f"vt{one.id}",
        "audit": f"vt{one.id}audit",
    }
    assert decoded(secrets.cache(one, KEYS))["prefix"] == f"vt{one.id}:"
    assert decoded(secrets.storage(one, KEYS))["bucket"] == f"vivero-{one.id}"
    assert decoded(secrets.app(one, KEYS)) == {"signing_key": "sign", "file_key": "file", "operator_token": "token"}
    annotations = secrets.database(one, KEYS, ADDRESS)["metadata"]["annotations"]
    assert annotations["vivero.dev/database-server"] == "main"


def test_limits() -> None:
    limits = json.loads(decoded(secrets.limits(instance()))["limits.json"])
    assert limits == {
        "plan": "trial",
        "records": 10000,
        "users": 5,
        "storage_bytes": None,
        "requests_per_minute": 600,
        "features": ["files"],
    }
    trial = json.loads(decoded(secrets.limits(instance(trialEndsAt="2026-12-22T12:00:00Z")))["limits.json"])
    assert trial["trial_ends_at"] == "2026-12-22T12:00:00+00:00"


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({}, {"records": 10000, "users": 5, "requests_per_minute": 600, "storage_bytes": None}),
        ({"users": 250}, {"records": 10000, "users": 250, "requests_per_minute": 600, "storage_bytes": None}),
        (
            {"records": 0, "users": 1, "storageBytes": 7, "requestsPerMinute": 9},
            {"records": 0, "users": 1, "requests_per_minute": 9, "storage_bytes": 7},
        ),
    ],
)
def test_limits_of_its_own_take_the_place_of_the_plans(own: dict[str, int], told: dict[str, int | None]) -> None:
    one = instance(limits=own)
    content = json.loads(secrets.limits_content(one))
    assert {name: content[name] for name in told} == told
    assert one.connections == instance().connections
    assert secrets.differ_in_limits(secrets.limits(instance()), secrets.limits(one)) is bool(own)


def test_where_plans_are_sold_is_told_to_who_has_an_address() -> None:
    sells = {"account_url": "https://vivero.example/account"}
    told = secrets.limits(instance(settings=sells))
    document = json.loads(decoded(told)["limits.json"])
    assert document["plan_url"] == f"https://vivero.example/account?workspace={instance().tenant.spec.slug}"
    spare = instance(settings=sells, slug=None, owner=None, pool="trials")
    assert "plan_url" not in json.loads(secrets.limits_content(spare))
    assert not secrets.differ_in_limits(secrets.limits(instance()), told)


def test_the_end_of_a_trial_is_no_other_limit() -> None:
    spare, claimed = secrets.limits(instance()), secrets.limits(instance(trialEndsAt="2026-12-22T12:00:00Z"))
    assert not secrets.differ_in_limits(spare, claimed)
    for data in ({}, {"limits.json": "e30="}, {"limits.json": "bm8="}):
        assert secrets.differ_in_limits({**spare, "data": data}, claimed)
    assert "vivero.dev/limits" not in secrets.limits(instance())["metadata"]["annotations"]
    assert secrets.limits(instance(), changed=True)["metadata"]["annotations"]["vivero.dev/limits"]


def test_a_workspace_is_told_where_an_owner_confirms_until_that_is_done() -> None:
    def told(**spec: Any) -> Any:
        return json.loads(secrets.limits_content(instance(**spec))).get("confirm_url")

    unconfirmed = {"owner": {"email": "a@b.co", "confirmed": False}}
    slug = instance().tenant.spec.slug
    assert told(**unconfirmed) == f"https://vivero.localhost:8443/confirm/again?workspace={slug}"
    assert told() is None


def test_a_claim_changes_no_limit_and_a_confirmation_does() -> None:
    spare = secrets.limits(instance(slug=None, owner=None, pool="trials"))
    claimed = secrets.limits(instance(owner={"email": "a@b.co", "confirmed": False}))
    assert not secrets.differ_in_limits(spare, claimed)
    assert secrets.differ_in_limits(claimed, secrets.limits(instance()))


def test_nothing_secret_shows_in_a_repr() -> None:
    assert "db-pw" not in repr(KEYS)
    assert "db-pw" not in repr(record.Record("abcdefghij", "main", "u", "acme", False, "1", KEYS))  # noqa: FBT003  a dataclass


def pod(one: Instance, credentials: str = "c1") -> dict[str, Any]:
    template: dict[str, Any] = deployed(one, credentials=credentials)["spec"]["template"]
    return template


def test_pods_are_restricted_and_know_no_cluster() -> None:
    spec = pod(instance())["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    environment = {one["name"]: one["value"] for one in container["env"]}
    # A claim changes name, slug and address: a pod that knew them would have to start again.
    assert environment.keys() == {"VIVERO_TENANT_ID", "VIVERO_SECRETS_DIR"}
    assert environment["VIVERO_TENANT_ID"] == instance().id


def test_files_lie_where_the_data_plane_looks() -> None:
    projected = pod(instance())["spec"]["volumes"][0]["projected"]["sources"]
    paths = {item["path"] for source in projected for kind in source.values() for item in kind["items"]}
    assert {
        "database/password",
        "database/audit",
        "cache/prefix",
        "storage/bucket",
        "app/operator_token",
        "limits/limits.json",
    } <= paths
    assert {"platform/ca.crt", "platform/ticket.pub"} <= paths


def test_a_pod_starts_where_an_operator_of_before_has_taken_the_audit_key_out() -> None:
    projected = pod(instance())["spec"]["volumes"][0]["projected"]["sources"]
    needed = [source["secret"] for source in projected if "secret" in source and not source["secret"].get("optional")]
    paths = {item["path"] for one in needed for item in one["items"]}
    assert "database/name" in paths
    assert "database/audit" not in paths


def test_a_change_of_limits_leaves_the_pods_alone() -> None:
    assert pod(instance()) == pod(instance(plan={"limits": {"records": 1, "connections": 99}, "displayName": "Other"}))
    assert pod(instance()) != pod(instance(plan={"workload": {"memoryLimit": "1Gi"}}))


def test_suspension_stops_all_pods() -> None:
    assert deployed(instance(suspended={"reason": "Manual"}))["spec"]["replicas"] == 0
    assert deployed(instance(plan={"workload": {"replicas": 2}}))["spec"]["replicas"] == 2


def test_pods_start_again_for_other_credentials_an_order_and_data_that_was_given_up() -> None:
    usual = pod_template.revision(pod(instance()))
    ordered = instance()
    meta = ordered.tenant.metadata.model_copy(update={"annotations": {"vivero.dev/restart": "now"}})
    again = Instance(ordered.tenant.model_copy(update={"metadata": meta}), ordered.plan, ordered.settings)
    assert usual == pod_template.revision(pod(instance(), "c1"))
    lost = {"dataLostAt": "2026-11-22T12:00:00Z"}
    given_up = instance(status=lost, acceptDataLossAt="2026-11-22T12:00:00Z")
    others = (pod(instance(), "c2"), pod(again), pod(given_up))
    assert len({usual, *map(pod_template.revision, others)}) == 4
    # Of another loss it says nothing; and once it is over it starts nothing again.
    assert pod_template.revision(pod(instance(status=lost, acceptDataLossAt="2026-01-01T00:00:00Z"))) == usual
    over = instance(status={"dataGivenUpAt": "2026-11-22T12:00:00Z"}, acceptDataLossAt="2026-11-22T12:00:00Z")
    assert pod_template.revision(pod(over)) == pod_template.revision(pod(given_up))


def test_quota_has_room_for_a_rollout() -> None:
    """Two wanted, one more while they are replaced, and two that still finish their requests."""
    workload = {"replicas": 2, "cpuRequest": "50m", "cpuLimit": "1", "memoryRequest": "96Mi", "memoryLimit": "256Mi"}
    hard = quota(instance(plan={"workload": workload}))["spec"]["hard"]
    assert hard["pods"] == "5"
    assert hard["requests.cpu"] == "250m"
    assert hard["requests.memory"] == "480Mi"
    assert hard["limits.cpu"] == "5"
    assert hard["services.nodeports"] == "0"
    assert "limits.cpu" not in quota(instance())["spec"]["hard"]


def test_the_address_of_its_own_has_the_platforms_certificate() -> None:
    one = instance(hosts=["app.example.com"])
    spec = ingress.build(one)["spec"]
    assert [rule["host"] for rule in spec["rules"]] == ["acme.vivero.localhost"]
    assert spec["tls"][0]["secretName"] == "wildcard-tls"
    assert ingress.build(one)["metadata"]["annotations"]["projectcontour.io/tls-cert-namespace"] == "vivero-system"


def test_another_controller_reads_its_own_annotations_and_has_the_wildcard_certificate_itself() -> None:
    traefik = {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}
    native = {"traefik.ingress.kubernetes.io/service.nativelb": "true"}
    settings = {"ingress_annotations": traefik, "ingress_service_annotations": native, "wildcard_tls": "default"}
    one = instance(settings=settings, hosts=["app.example.com"])
    made = [ingress.build(one), ingress.build_hosts(one, ["app.example.com"]), ingress.service(one)]
    for manifest, expected in zip(made, (traefik, traefik, native), strict=True):
        annotations = manifest["metadata"]["annotations"]
        assert {key: text for key, text in annotations.items() if not key.startswith("vivero.dev/")} == expected
    assert made[0]["spec"]["tls"] == [{"hosts": ["acme.vivero.localhost"]}]


def test_each_own_host_has_its_own_certificate() -> None:
    given = [{"host": "a.example.com", "secretName": "a-tls"}]
    one = instance(hosts=["a.example.com", "b.example.com"], hostCertificates=given)
    hosts = ["a.example.com", "b.example.com"]
    own = ingress.build_hosts(one, hosts)
    assert [rule["host"] for rule in own["spec"]["rules"]] == hosts
    assert [tls["secretName"] for tls in own["spec"]["tls"]] == list(map(copies.certificate_name, hosts))
    assert "projectcontour.io/tls-cert-namespace" not in own["metadata"]["annotations"]
    suspended_ingress = ingress.build_suspended(one, hosts)
    assert suspended_ingress["metadata"]["namespace"] == "vivero-system"
    assert [tls["secretName"] for tls in suspended_ingress["spec"]["tls"]] == [
        "a-tls",
        copies.certificate_name("b.example.com"),
    ]


def test_an_issuer_looks_after_its_own_hosts_alone() -> None:
    """cert-manager replaces every Secret that an Ingress with its annotation names."""
    one = instance(settings={"host_issuer": "letsencrypt"})
    key = "cert-manager.io/cluster-issuer"
    for build in (ingress.build_hosts, ingress.build_suspended):
        ours, issued = build(one, ["a.example.com"]), build(one, ["b.example.com"], issued=True)
        assert key not in ours["metadata"]["annotations"]
        assert issued["metadata"]["annotations"][key] == "letsencrypt"
        assert ours["metadata"]["name"] != issued["metadata"]["name"]


def test_network_policy() -> None:
    spec = namespace.network(instance())["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"][1]["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]
    narrow = namespace.network(instance(settings={"egress_cidrs": ["10.1.0.0/16"]}))["spec"]
    assert narrow["egress"][1]["to"] == [{"ipBlock": {"cidr": "10.1.0.0/16"}}]


def test_metrics_are_for_the_namespace_of_prometheus_alone() -> None:
    (served,) = namespace.network(instance())["spec"]["ingress"]
    assert served["ports"] == [{"protocol": "TCP", "port": APP_PORT}]
    watched = namespace.network(instance(settings={"monitoring_namespace": "monitoring"}))["spec"]["ingress"]
    assert watched[0] == served
    assert watched[1:] == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "ports": [{"protocol": "TCP", "port": METRICS_PORT}],
        }
    ]


def test_url_without_the_usual_port() -> None:
    assert instance(settings={"public_port": 443}).url == "https://acme.vivero.localhost"


def test_events() -> None:
    tenant = instance().tenant
    said = event.ObjectEvent(
        event.Subject.of("Tenant", tenant.metadata), "Warning", "DatabaseUnavailable", "x" * 3000, "Reconcile"
    )
    manifest = event.build(said, "operator-1", NOW)
    assert manifest["regarding"]["uid"] == tenant.metadata.uid
    assert manifest["metadata"]["namespace"] == "default"
    assert (manifest["reportingController"], manifest["reportingInstance"]) == ("vivero.dev/operator", "operator-1")
    assert len(manifest["note"].encode()) == 1024
    assert manifest["eventTime"] == "2026-11-22T12:00:00.000000Z"


def test_the_fingerprint_follows_the_wants() -> None:
    assert instance().fingerprint == instance().fingerprint
    assert instance().fingerprint != instance(hosts=["a.example.com"]).fingerprint
    assert instance().fingerprint != instance(plan={"limits": {"users": 6}}).fingerprint


def environment(**settings: Any) -> dict[str, str]:
    """Of a tenant's pod, but for what is the tenant's own."""
    template = pod_template.common(Settings(data_plane_image="image:1", **settings))
    return {one["name"]: one["value"] for one in template["spec"]["containers"][0]["env"]}


def test_pods_are_told_of_a_collector_and_never_of_a_key() -> None:
    settings = {
        "otlp_endpoint": "https://otlp.example.com",
        "otlp_headers": "api-key=hunter2",
        "sentry_dsn": "https://hunter2@h/1",
    }
    quiet = environment(**settings)
    assert quiet == environment()
    told = environment(
        **settings,
        workspace_telemetry_secret="reports",
        workspace_otlp_endpoint="http://collector:4318",
        workspace_otlp_ratio=0.5,
    )
    assert told == quiet | {"VIVERO_OTLP_ENDPOINT": "http://collector:4318", "VIVERO_OTLP_RATIO": "0.5"}


def test_pods_log_by_the_operators_names() -> None:
    assert environment(log_format="ecs") == environment() | {"VIVERO_LOG_FORMAT": "ecs"}
