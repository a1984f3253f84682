"""The Gateway API with the real Contour and Envoy: the operator's HTTPRoute, the control plane's, and the guide's Gateway.

Pods are small servers of this test. Their addresses stand in EndpointSlices, as a cluster would write them.
"""

import http.client
import json
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml
from integration.charts.conftest import ROOT, Render
from reconcile.world import PLAN, tenant_body
from support.api_server import LOOPBACK, ApiServer
from support.contour import Entry, contour_with_gateway, install_gateway_definitions
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import HTTP_ROUTE
from vivero_core.model.constants import FIELD_MANAGER
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_dev.certificates import Authority
from vivero_dev.commands import run
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.probing import until
from vivero_operator.instance import APP, Instance
from vivero_operator.manifests import http_route, ingress, namespace, waiting_page
from vivero_operator.policies import drift
from vivero_operator.settings import Gateway, Settings

DOMAIN = "example.com"
PLATFORM = "vivero-system"
GATEWAY = Gateway(name="platform", namespace="projectcontour", listener="workspaces")
PART_OF = {"app.kubernetes.io/part-of": "vivero"}
# Contour holds changes back for 100 ms; the rest is for a busy machine.
SECONDS = 60.0

Json = dict[str, Any]


def guides_gateway(entry: Entry) -> Json:
    """The one of docs/ingress.md, but for its ports."""
    section = (ROOT / "docs/ingress.md").read_text().partition("## Gateway API")[2]
    gateway: Json = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    for listener in gateway["spec"]["listeners"]:
        listener["port"] = entry.listeners[listener["port"]]
    return gateway


class Says(BaseHTTPRequestHandler):
    """A pod: it says who it is."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        body = self.name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nowhere."""


@contextmanager
def pod(name: str) -> Iterator[waiting_page.Backing]:
    """Listens on an address of this machine that a cluster takes: it refuses loopback."""
    address = next(one for one in run("hostname", ["hostname", "-I"]).split() if ":" not in one)
    handler = type("Named", (Says,), {"name": name})
    with ThreadingHTTPServer((address, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield waiting_page.Backing("IPv4", server.server_address[1], (address,))
        server.shutdown()


def endpoints(service: str, where: str, backing: waiting_page.Backing) -> Json:
    """As the cluster writes them of ready pods."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service}-1", "namespace": where, "labels": {"kubernetes.io/service-name": service}},
        "addressType": backing.family,
        "ports": [{"name": "http", "port": backing.port, "protocol": "TCP"}],
        "endpoints": [{"addresses": list(backing.addresses), "conditions": {"ready": True}}],
    }


def labelled(name: str, labels: dict[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@dataclass(frozen=True)
class Platform:
    """What a test asks and changes."""

    kubectl: Kubectl
    entry: Entry
    context: ssl.SSLContext
    control_plane: waiting_page.Backing

    def get(self, host: str) -> str:
        """What a client reads at https://host/, its certificate checked."""
        with socket.create_connection((LOOPBACK, self.entry.https), timeout=10) as plain:
            connection = http.client.HTTPConnection(host)
            connection.sock = self.context.wrap_socket(plain, server_hostname=host)
            connection.request("GET", "/")
            answer = connection.getresponse()
            text = f"{answer.status} {answer.read().decode()}"
            connection.close()
            return text

    def answers(self, host: str, expected: str) -> None:
        until(host, lambda: self._problem(host, expected), SECONDS)

    def _problem(self, host: str, expected: str) -> str | None:
        try:
            found = self.get(host)
        except (OSError, http.client.HTTPException) as error:  # it does not listen yet, or not for this host
            found = str(error)
        return None if found == expected else f"{found!r} in place of {expected!r}"

    def accepted(self, route: str, where: str) -> bool:
        live = self.kubectl.get("httproute", route, where)
        return live is not None and http_route.is_accepted(live)

    def configuration(self) -> Json:
        """What Envoy serves, as it says itself."""
        connection = http.client.HTTPConnection(LOOPBACK, self.entry.admin, timeout=10)
        connection.request("GET", "/config_dump?resource=dynamic_route_configs")
        found: Json = json.loads(connection.getresponse().read())
        connection.close()
        return found


@pytest.fixture(scope="module")
def platform(cluster: ApiServer, render: Render, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A Gateway as the guide says, and the control plane's routes as its chart has them."""
    folder = tmp_path_factory.mktemp("gateway")
    install_gateway_definitions(cluster, folder)
    authority = Authority(folder / "authority")
    kubectl = cluster.kubectl
    kubectl.apply([labelled(PLATFORM, PART_OF), labelled(GATEWAY.namespace, {})])
    for secret, host in (("control-plane-tls", DOMAIN), ("wildcard-tls", f"*.{DOMAIN}")):
        pair = authority.issue(secret, [host])
        files = (f"--cert={pair.certificate}", f"--key={pair.key}")
        kubectl.run("create", "secret", "tls", secret, f"--namespace={GATEWAY.namespace}", *files)
    controller = {"controllerName": "projectcontour.io/gateway-controller"}
    classes = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "contour"}}
    with (
        contour_with_gateway(cluster, folder, GATEWAY.namespace, GATEWAY.name) as entry,
        pod("control plane") as backing,
    ):
        kubectl.apply([classes | {"spec": controller}, guides_gateway(entry)])
        kubectl.apply([*control_planes(render, entry), endpoints("vivero-control-plane", PLATFORM, backing)])
        context = ssl.create_default_context(cafile=str(authority.certificate))
        yield Platform(kubectl, entry, context, backing)


def control_planes(render: Render, entry: Entry) -> list[Json]:
    """Of its chart: what a route consists of."""
    gateway = GATEWAY.model_dump(exclude={"listener"}) | {
        "listener": "control-plane",
        "wildcardListener": GATEWAY.listener,
        "httpListener": "http",
    }
    values = {"baseDomain": DOMAIN, "publicPort": entry.https, "gateway": gateway}
    objects = render("vivero-control-plane", values, f"--namespace={PLATFORM}")
    return [one for one in objects if one["kind"] in {"Service", "HTTPRoute"}]


def new_tenant() -> Instance:
    slug = f"acme-{uuid.uuid4().hex[:6]}"
    body = tenant_body(slug)
    body["metadata"]["uid"] = str(uuid.uuid4())
    settings = Settings(data_plane_image="image:1", base_domain=DOMAIN, gateway=GATEWAY)
    return Instance(Tenant.parse(body), Plan.parse(PLAN), settings)


def route_of(tenant: Instance) -> Json:
    return http_route.build(tenant, gateway=GATEWAY)


@pytest.fixture
def served(platform: Platform) -> Iterator[Instance]:
    """A tenant whose pod answers through its route."""
    tenant = new_tenant()
    with pod("workspace") as backing:
        slices = endpoints(APP, tenant.namespace, backing)
        platform.kubectl.apply([namespace.build(tenant), ingress.service(tenant), slices, route_of(tenant)])
        platform.answers(tenant.hosts[0], "200 workspace")
        yield tenant


def test_a_workspace_answers_through_its_route(platform: Platform, served: Instance) -> None:
    assert platform.accepted(APP, served.namespace)
    assert platform.get(served.hosts[0]) == "200 workspace"


@pytest.mark.parametrize("host", [DOMAIN, f"unknown.{DOMAIN}"])
def test_the_control_plane_answers_at_its_own_host_and_for_what_does_not_run(platform: Platform, host: str) -> None:
    platform.answers(host, "200 control plane")


def test_a_suspended_workspace_leads_to_the_control_plane(platform: Platform, served: Instance) -> None:
    platform.kubectl.run("delete", "httproute", APP, f"--namespace={served.namespace}")
    platform.answers(served.hosts[0], "200 control plane")
    platform.kubectl.apply([route_of(served)])
    platform.answers(served.hosts[0], "200 workspace")


def test_while_no_pod_answers_its_service_leads_to_the_control_plane(platform: Platform, served: Instance) -> None:
    """By the second EndpointSlice, which the route knows nothing of (ADR 0034)."""
    platform.kubectl.run("delete", "endpointslice", f"{APP}-1", f"--namespace={served.namespace}")
    platform.kubectl.apply([waiting_page.build(served.id, platform.control_plane)])
    platform.answers(served.hosts[0], "200 control plane")


def test_plain_http_leads_to_https(platform: Platform, served: Instance) -> None:
    def problem() -> str | None:
        connection = http.client.HTTPConnection(LOOPBACK, platform.entry.http, timeout=10)
        try:
            connection.request("GET", "/login?x=1", headers={"Host": served.hosts[0]})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()
        found = answer.status, answer.headers["Location"]
        expected = 301, f"https://{served.hosts[0]}:{platform.entry.https}/login?x=1"
        return None if found == expected else f"{found} in place of {expected}"

    until("redirect", problem, SECONDS)


def test_an_answer_may_take_as_long_as_its_line_is_slow(platform: Platform, served: Instance) -> None:
    """Without a word Envoy ends each after 15 seconds."""
    routes = {
        host: {route["route"].get("timeout") for route in virtual["routes"]}
        for one in platform.configuration()["configs"]
        for virtual in one["route_config"].get("virtual_hosts", ())
        for host in virtual["domains"]
        if any("route" in route for route in virtual["routes"])
    }
    assert routes[served.hosts[0]] == {"0s"}
    assert routes[DOMAIN] == {"330s"}


def test_in_a_namespace_that_is_not_the_platforms_a_route_takes_no_address(
    platform: Platform, served: Instance
) -> None:
    """As the guide's Gateway says: otherwise whoever may write an HTTPRoute reads passwords."""
    stranger = f"shop-{uuid.uuid4().hex[:6]}"
    stolen = {**route_of(served), "metadata": {"name": APP, "namespace": stranger}}
    platform.kubectl.apply([labelled(stranger, {}), stolen])
    until("refusal", lambda: refusal(platform, stranger), SECONDS)
    assert platform.get(served.hosts[0]) == "200 workspace"


def refusal(platform: Platform, where: str) -> str | None:
    """Whether the operator reads it so."""
    live = platform.kubectl.get("httproute", APP, where)
    said = None if live is None else http_route.refusal(live)
    return None if said and said.startswith("NotAllowedByListeners: ") else f"the Gateway says: {said}"


def test_a_listener_that_is_not_there_is_told(platform: Platform) -> None:
    tenant = new_tenant()
    astray = http_route.build(tenant, gateway=GATEWAY.model_copy(update={"listener": "misspelled"}))
    platform.kubectl.apply([namespace.build(tenant), ingress.service(tenant), astray])

    def problem() -> str | None:
        live = platform.kubectl.get("httproute", APP, tenant.namespace)
        assert live is not None
        assert not http_route.is_accepted(live)
        return None if http_route.refusal(live) else f"nothing is said: {live.get('status')}"

    until("refusal", problem, SECONDS)


async def test_what_the_server_adds_to_a_route_is_no_drift(platform: Platform, served: Instance) -> None:
    config = kube_config.load(platform.kubectl.kubeconfig)
    async with KubeClient(config, field_manager=FIELD_MANAGER) as kube:
        wanted = route_of(served)
        await kube.apply(wanted)
        assert not drift.differs(wanted, await kube.get(HTTP_ROUTE, APP, served.namespace))
        other = {"spec": {"rules": [{"backendRefs": [{"name": "other", "port": 80}]}]}}
        await kube.patch(HTTP_ROUTE, APP, other, served.namespace)
        assert drift.differs(wanted, await kube.get(HTTP_ROUTE, APP, served.namespace))
        await kube.apply(wanted)
        assert not drift.differs(wanted, await kube.get(HTTP_ROUTE, APP, served.namespace))
