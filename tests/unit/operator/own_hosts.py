"""A customer's own host in a test's world: wished for, proven, certified, and what is said of it."""

from datetime import timedelta

from reconcile.certificates import secret_body
from reconcile.scenes import NAMESPACE, body, change, serving
from reconcile.world import NOW, Object, World
from vivero_core.model.own_hosts import record_name, record_value
from vivero_operator.manifests import ingress

HOST, OTHER = "app.example.com", "www.example.org"
GIVEN = [{"host": HOST, "secretName": "app-tls"}]


def publish(world: World, host: str = HOST) -> None:
    """The customer writes the record that the status asks for."""
    tenant = next(iter(world.cluster.tenants))
    world.dns.records[record_name(host)] = {record_value(tenant.metadata.uid, host), "v=spf1 -all"}


def hand_in(world: World, host: str = HOST, name: str = "app-tls", begins: int = -1) -> None:
    """The customer's certificate, as a member of staff makes a Secret of it."""
    world.put(secret_body(name, host, NOW + timedelta(days=begins)))


def said(world: World, host: str = HOST) -> Object:
    found: Object = next(one for one in body(world)["status"]["hosts"] if one["host"] == host)
    return found


def routes(world: World, name: str = ingress.HOSTS, namespace: str = NAMESPACE) -> list[str]:
    found = world.kube.objects.get(("Ingress", namespace, name))
    return [rule["host"] for rule in found["spec"]["rules"]] if found else []


async def with_issuer(**spec: object) -> World:
    world = await serving()
    world.settings = world.settings.model_copy(update={"host_issuer": "letsencrypt"})
    world.restart()
    change(world, **spec)
    return world


async def served() -> World:
    """Tenant acme has its own host in service."""
    world = await serving()
    change(world, hosts=[HOST], hostCertificates=GIVEN)
    publish(world)
    hand_in(world)
    await world.reconcile()
    assert routes(world) == [HOST]
    return world
