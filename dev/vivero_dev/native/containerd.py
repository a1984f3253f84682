"""containerd: its configuration, its process, and its images."""

from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.native.cni import cni_configuration
from vivero_dev.native.files import write_public
from vivero_dev.native.layout import Cluster
from vivero_dev.native.probes import unix_socket_accepts
from vivero_dev.processes import ProcessSpec

PAUSE_IMAGE = "localhost/vivero/pause:1"
# Where Kubernetes keeps its images and containers.
NAMESPACE = "k8s.io"
PLUGIN_FOLDER = "/usr/lib/cni"
# Plugins for file systems and tracers this platform does not use; each would probe and warn.
DISABLED = (
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.internal.v1.opt",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
)


def containerd(cluster: Cluster) -> ProcessSpec:
    configuration, pod_network = containerd_configuration(cluster), cni_configuration(cluster)
    file = cluster.folder / "containerd.toml"
    write_public(file, configuration)
    network = cluster.folder / "cni"
    network.mkdir(exist_ok=True)
    write_public(network / "10-vivero.conflist", pod_network)
    cluster.volatile.mkdir(exist_ok=True, mode=0o711)
    return ProcessSpec(
        name="containerd",
        command=["containerd", "--config", str(file)],
        netns=cluster.instance.netns_path,
        revision=configuration + pod_network,
        ready=lambda: unix_socket_accepts(cluster.containerd_socket),
        deadline=60,
    )


def containerd_configuration(cluster: Cluster) -> str:
    disabled = ", ".join(f'"{plugin}"' for plugin in DISABLED)
    return f"""\
version = 2
root = "{cluster.folder / "containerd"}"
state = "{cluster.volatile / "containerd"}"
disabled_plugins = [{disabled}]

[grpc]
address = "{cluster.containerd_socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# Without CAP_SYS_RESOURCE nobody may lower a process's OOM score.
restrict_oom_score_adj = true
# Network namespaces of pods go away with the state folder.
netns_mounts_under_state_dir = true
max_container_log_line_size = 262144

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
discard_unpacked_layers = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGIN_FOLDER}"
conf_dir = "{cluster.folder / "cni"}"
"""


def ctr(cluster: Cluster, *arguments: str | Path, timeout: float = 120.0) -> str:
    """Run containerd's own client in Kubernetes' namespace."""
    command = ["ctr", "--address", cluster.containerd_socket, "--namespace", NAMESPACE, *arguments]
    return run("containerd", command, timeout=timeout)


def loaded_images(cluster: Cluster) -> set[str]:
    return set(ctr(cluster, "images", "list", "--quiet").split())


def load_image(cluster: Cluster, archive: Path, name: str) -> bool:
    """Import an archive that holds the image `name`, unless it is there already."""
    if name in loaded_images(cluster):
        return False
    ctr(cluster, "images", "import", "--snapshotter", "overlayfs", archive, timeout=300)
    return True
