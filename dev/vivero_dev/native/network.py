"""The network namespace of an instance, connected to the host by one veth pair.

All of Kubernetes' rules live inside; the host gets one interface and two
routes, which the kernel removes together with the namespace.
"""

import json
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.instance import Instance

COMPONENT = "network"
# Inside the namespace only: its own forwarding, and answers to the bridge's
# traffic seen by iptables where the kernel can do that.
SYSCTLS = {"net/ipv4/ip_forward": "1", "net/ipv4/conf/all/rp_filter": "0", "net/ipv4/conf/default/rp_filter": "0"}
BRIDGE_SYSCTL = "net/bridge/bridge-nf-call-iptables"


def ensure_network(instance: Instance) -> str:
    """Create what is missing of namespace, veth pair, addresses and routes."""
    created = not instance.netns_path.exists()
    if created:
        _ip("netns", "add", instance.netns)
    _ensure_veth(instance)
    _set_sysctls(instance)
    _ensure_routes(instance)
    return "created" if created else "unchanged"


def remove_network(instance: Instance) -> None:
    """Remove namespace and veth pair; the kernel drops the routes with them."""
    if _link_exists(instance.veth_host):
        _ip("link", "delete", instance.veth_host)
    if instance.netns_path.exists():
        _ip("netns", "delete", instance.netns)


def network_leftovers(instance: Instance) -> list[str]:
    found = []
    if instance.netns_path.exists():
        found.append(f"network namespace {instance.netns}")
    if _link_exists(instance.veth_host):
        found.append(f"interface {instance.veth_host}")
    ranges = {str(instance.addresses.pods), str(instance.addresses.services)}
    found += [f"route to {route}" for route in sorted(ranges & _host_routes())]
    return found


def inside(instance: Instance, *command: str) -> list[str]:
    """The command line that runs a program in the instance's network namespace."""
    return ["nsenter", f"--net={instance.netns_path}", "--", *command]


def _ensure_veth(instance: Instance) -> None:
    addresses = instance.addresses
    if not _link_exists(instance.veth_host):
        peer = ("peer", "name", instance.veth_node, "netns", instance.netns)
        _ip("link", "add", instance.veth_host, "type", "veth", *peer)
    _ip("address", "replace", str(addresses.host), "dev", instance.veth_host)
    _ip("link", "set", instance.veth_host, "up")
    _ip_inside(instance, "address", "replace", str(addresses.node), "dev", instance.veth_node)
    _ip_inside(instance, "link", "set", "lo", "up")
    _ip_inside(instance, "link", "set", instance.veth_node, "up")
    _ip_inside(instance, "route", "replace", "default", "via", str(addresses.host.ip))


def _ensure_routes(instance: Instance) -> None:
    addresses = instance.addresses
    for target in (addresses.pods, addresses.services):
        _ip("route", "replace", str(target), "via", str(addresses.node.ip), "dev", instance.veth_host)


def _set_sysctls(instance: Instance) -> None:
    wanted = dict(SYSCTLS)
    # Without it a pod that calls a Service whose endpoint sits on the same
    # bridge gets the answer from the wrong address.
    if Path("/proc/sys", BRIDGE_SYSCTL).exists():
        wanted[BRIDGE_SYSCTL] = "1"
    for name, value in wanted.items():
        run(COMPONENT, inside(instance, "sysctl", "-q", "-w", f"{name.replace('/', '.')}={value}"), timeout=10)


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _host_routes() -> set[str]:
    shown = run(COMPONENT, ["ip", "-json", "-4", "route"], timeout=10)
    return {str(route["dst"]) for route in json.loads(shown or "[]")}


def _ip(*arguments: str) -> None:
    run(COMPONENT, ["ip", *arguments], timeout=10)


def _ip_inside(instance: Instance, *arguments: str) -> None:
    run(COMPONENT, inside(instance, "ip", *arguments), timeout=10)
