"""The steps of the native Kubernetes, for the native provider, in this order."""

from vivero_dev.assets import built_from, ensure_assets, source_hash
from vivero_dev.debian import extracted
from vivero_dev.image_names import write_names
from vivero_dev.instance import Instance
from vivero_dev.native.cgroups import ensure_cgroup
from vivero_dev.native.containerd import PAUSE_IMAGE, containerd, load_image, loaded_images
from vivero_dev.native.contour import contour, install_definitions
from vivero_dev.native.control_plane import apiserver, controller_manager, etcd, scheduler
from vivero_dev.native.dns import coredns
from vivero_dev.native.envoy import envoy
from vivero_dev.native.images import IMAGES, Builder, reference
from vivero_dev.native.kubelet import kube_proxy, kubelet
from vivero_dev.native.layout import Cluster
from vivero_dev.native.network import ensure_network
from vivero_dev.native.node import wait_node_ready
from vivero_dev.native.objects import base_objects
from vivero_dev.native.packages import NATIVE_PACKAGES, ensure_packages
from vivero_dev.native.pause import write_pause_archive
from vivero_dev.native.services import mariadb, valkey
from vivero_dev.native.tools import ensure_tools, present
from vivero_dev.processes import ProcessSpec
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY
from vivero_dev.steps import Say, Step

PROGRAMS = ("pause", "etcd", "kubernetes", "coredns", "contour", "helm", "versitygw")
"""All programs of dev/go that `up` needs."""
UNPACKED = (valkey.PACKAGE, mariadb.PACKAGE)
"""Debian packages of which single files are used; installing them would start services."""
_COMPILING = 640.0
_ASSETS = 30.0
_IMAGES = 100.0
"""Approximate CPU seconds with empty caches: benchmarks/cold_start.py measured 803 in total."""


def download_steps(instance: Instance) -> list[Step]:
    """Downloads and compilation for `up`: independent of each other (except the images) and of the cluster."""
    cache, logs = instance.cache_dir, instance.log_dir
    builder = Builder(cache, logs / "images.log")

    def packages(_: Say) -> str:
        installed = ensure_packages(NATIVE_PACKAGES, logs / "packages.log")
        return f"installed {', '.join(installed)}" if installed else "unchanged"

    def programs(say: Say) -> str:
        return "compiled" if ensure_tools(cache, PROGRAMS, logs / "programs.log", say) else "unchanged"

    def build(say: Say) -> str:
        built = [image.name for image in builder.missing() if builder.build(image, say)]
        return f"built {', '.join(built)}" if built else "unchanged"

    return [
        # Longest first, and downloads early, because they wait for the network while others use the CPU.
        Step("programs", programs, expected=lambda: 1.0 if present(cache, PROGRAMS) else _COMPILING),
        Step("packages", packages),
        Step(
            "assets",
            lambda say: ensure_assets(cache, logs / "assets.log", say),
            expected=lambda: 1.0 if built_from() == source_hash() else _ASSETS,
        ),
        # One after the other: both read the lists of packages, which apt locks.
        Step("unpacked packages", lambda _: ", ".join(extracted(cache, one).name for one in UNPACKED)),
        Step("build images", build, ("packages", "assets"), lambda: _IMAGES if builder.missing() else 1.0),
    ]


def cluster_steps(instance: Instance) -> list[Step]:
    """From the network to a ready node and the ingress; includes the steps `cluster` and `ingress`."""
    cluster = Cluster(instance)
    return [
        Step("network", lambda _: ensure_network(instance), ("packages",)),
        Step("etcd", lambda _: _started(cluster, etcd(cluster)), ("network", "programs")),
        Step("containerd", lambda _: _start_containerd(cluster), ("network", "programs")),
        Step("api server", lambda _: _start_apiserver(cluster), ("etcd",)),
        Step("controllers", lambda _: _start_controllers(cluster), ("api server",)),
        Step("node", lambda _: _start_node(cluster), ("api server", "containerd")),
        Step("cluster dns", lambda _: _started(cluster, coredns(cluster)), ("api server",)),
        Step(CLUSTER_READY, lambda _: _confirm(cluster), ("controllers", "node", "cluster dns")),
        Step("routing", lambda _: _start_contour(cluster), ("api server",)),
        Step(INGRESS_READY, lambda _: _started(cluster, envoy(cluster)), ("routing",)),
    ]


def image_step(instance: Instance) -> Step:
    """The step that loads our images into containerd."""
    cluster = Cluster(instance)
    builder = Builder(instance.cache_dir, instance.log_dir / "images.log")

    def load(say: Say) -> str:
        loaded = loaded_images(cluster)
        names = {image.name: reference(image) for image in IMAGES}
        for image, name in names.items():
            if name not in loaded:
                say(f"loading {image}")
                builder.load(cluster, name)
        write_names(instance, names)
        return "unchanged" if loaded.issuperset(names.values()) else "loaded"

    return Step(IMAGES_READY, load, ("build images", "containerd"))


def _started(cluster: Cluster, *specs: ProcessSpec) -> str:
    before = [cluster.processes.find(spec.name) for spec in specs]
    after = [cluster.processes.ensure(spec) for spec in specs]
    return "running" if before == after else "started"


def _start_containerd(cluster: Cluster) -> str:
    outcome = _started(cluster, containerd(cluster))
    archive = cluster.folder / "pause.tar"
    write_pause_archive(cluster.tool_path("pause"), archive)
    load_image(cluster, archive, PAUSE_IMAGE)
    return outcome


def _start_apiserver(cluster: Cluster) -> str:
    outcome = _started(cluster, apiserver(cluster))
    cluster.write_admin_config()
    cluster.kubectl.apply(base_objects(cluster))
    return outcome


def _start_controllers(cluster: Cluster) -> str:
    return _started(cluster, controller_manager(cluster), scheduler(cluster))


def _start_node(cluster: Cluster) -> str:
    ensure_cgroup(cluster.instance)
    return _started(cluster, kubelet(cluster), kube_proxy(cluster))


def _start_contour(cluster: Cluster) -> str:
    install_definitions(cluster)
    return _started(cluster, contour(cluster))


def _confirm(cluster: Cluster) -> str:
    wait_node_ready(cluster)
    return f"node {cluster.node_name} is ready"
