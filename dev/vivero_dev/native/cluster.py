"""The native Kubernetes as steps: called by the native provider, in this order."""

from vivero_dev.assets import ensure_assets
from vivero_dev.image_names import write_names
from vivero_dev.instance import Instance
from vivero_dev.native.cgroups import ensure_cgroup
from vivero_dev.native.containerd import PAUSE_IMAGE, containerd, load_image, loaded_images
from vivero_dev.native.contour import contour, install_definitions
from vivero_dev.native.control_plane import apiserver, controller_manager, etcd, scheduler
from vivero_dev.native.dns import coredns
from vivero_dev.native.envoy import envoy
from vivero_dev.native.images import IMAGES, Builder
from vivero_dev.native.kubelet import kube_proxy, kubelet
from vivero_dev.native.layout import Cluster
from vivero_dev.native.network import ensure_network
from vivero_dev.native.node import wait_node_ready
from vivero_dev.native.objects import base_objects
from vivero_dev.native.packages import CLUSTER_PACKAGES, IMAGE_PACKAGES, ensure_packages
from vivero_dev.native.pause import write_pause_archive
from vivero_dev.native.tools import ensure_tool
from vivero_dev.processes import ProcessSpec
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY
from vivero_dev.steps import Say, Step

CLUSTER_TOOLS = ("pause", "etcd", "kubernetes", "coredns", "contour", "helm")


def tool_step(instance: Instance, tool: str) -> Step:
    """Build one program unless the cache has it."""

    def build(say: Say) -> str:
        return ensure_tool(instance.cache_dir, tool, instance.log_dir / f"build-{tool}.log", say).name

    return Step(f"build {tool}", build)


def cluster_steps(instance: Instance) -> list[Step]:
    """Everything from packages to a node that takes pods and an ingress; holds `cluster` and `ingress`."""
    cluster = Cluster(instance)
    return [
        Step("packages", lambda _: _packages(instance)),
        *(tool_step(instance, tool) for tool in CLUSTER_TOOLS),
        Step("network", lambda _: ensure_network(instance), ("packages",)),
        Step("etcd", lambda _: _started(cluster, etcd(cluster)), ("network", "build etcd")),
        Step("containerd", lambda _: _start_containerd(cluster), ("network", "build pause")),
        Step("api server", lambda _: _start_apiserver(cluster), ("etcd", "build kubernetes")),
        Step("controllers", lambda _: _start_controllers(cluster), ("api server",)),
        Step("node", lambda _: _start_node(cluster), ("api server", "containerd")),
        Step("cluster dns", lambda _: _started(cluster, coredns(cluster)), ("api server", "build coredns")),
        Step(CLUSTER_READY, lambda _: _confirm(cluster), ("controllers", "node", "cluster dns")),
        Step("routing", lambda _: _start_contour(cluster), ("api server", "build contour")),
        Step(INGRESS_READY, lambda _: _started(cluster, envoy(cluster)), ("routing",)),
    ]


def image_steps(instance: Instance) -> list[Step]:
    """Our images, built and known to containerd; ends with the step `images`."""
    cluster = Cluster(instance)
    builder = Builder(instance.cache_dir, instance.log_dir / "images.log")

    def build(say: Say) -> str:
        ensure_packages(IMAGE_PACKAGES, instance.log_dir / "packages.log")
        before = loaded_images(cluster)
        names = {image.name: builder.ensure(cluster, image, say) for image in IMAGES}
        write_names(instance, names)
        return "unchanged" if before.issuperset(names.values()) else "built"

    def assets(say: Say) -> str:
        return ensure_assets(instance.cache_dir, instance.log_dir / "assets.log", say)

    return [Step("assets", assets), Step(IMAGES_READY, build, ("assets", "containerd"))]


def _packages(instance: Instance) -> str:
    installed = ensure_packages(CLUSTER_PACKAGES, instance.log_dir / "packages.log")
    return f"installed {', '.join(installed)}" if installed else "unchanged"


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
