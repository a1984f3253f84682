"""The docker provider: wherever a Docker daemon answers, on any system."""

from pathlib import Path

from vivero_dev.assets import ensure_assets
from vivero_dev.backing.accounts import accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.commands import run_long
from vivero_dev.docker import preflight, tools
from vivero_dev.docker.compose import Compose
from vivero_dev.docker.contour import ENVOY_ADDRESS, ensure_contour
from vivero_dev.docker.kind import Kind
from vivero_dev.errors import ComponentError
from vivero_dev.image_names import read_names, write_names
from vivero_dev.instance import Instance
from vivero_dev.native.images import IMAGES, ROOT, Image, reference
from vivero_dev.platform.backing import Endpoint
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.probing import until
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY, SERVICES_READY
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import Say, Step

PROGRAMS = ("kind", "kubectl", "helm")
# From the containers' start until all answer; about ten times what two cores need.
ANSWER_SECONDS = 60.0
# From a stopped node's start until its API server answers; kind waits as long for a new one.
START_SECONDS = 120.0


class DockerProvider:
    """kind and Compose, side by side in one Docker network."""

    name = "docker"
    ingress_address = ENVOY_ADDRESS
    prometheus_url = ""
    observe = None

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._compose = Compose(instance)

    def steps(self) -> list[Step]:
        return [
            Step("docker", lambda _: preflight.examine()),
            *(tools.step(self.instance, name, ("docker",)) for name in PROGRAMS),
            Step(CLUSTER_READY, self._create_cluster, PROGRAMS),
            # After the cluster: Compose joins the network that kind creates.
            Step(SERVICES_READY, self._start_services, (CLUSTER_READY,)),
            Step(INGRESS_READY, lambda _: ensure_contour(self.kubectl()), (CLUSTER_READY,)),
            Step("assets", self._assets, ("docker",)),
            Step(IMAGES_READY, self._build_images, (CLUSTER_READY, "assets")),
        ]

    def observability(self) -> dict[str, str]:
        return {}

    def kubectl(self) -> Kubectl:
        return Kubectl(tools.find(self.instance, "kubectl"), self.instance.kubeconfig)

    def helm(self) -> Path:
        return tools.find(self.instance, "helm")

    def images(self) -> dict[str, str]:
        return read_names(self.instance)

    def endpoints(self) -> dict[str, Endpoint]:
        return self._compose.endpoints()

    def logs(self) -> dict[str, Path]:
        return {file.stem: file for file in self.instance.log_dir.glob("*.log")}

    def down(self, say: Say) -> str:
        """Containers of services go, their data is in volumes; the node is stopped, its data is in itself."""
        self._stop_services(say, volumes=False)
        say("stopping the cluster")
        self._kind().stop(self._log("kind"))
        return "stopped"

    def erase(self, say: Say) -> str:
        self._stop_services(say, volumes=True)
        say("deleting the cluster")
        self._kind().delete(self._log("kind"))
        return "removed"

    def leftovers(self) -> list[str]:
        found = [f"container {name}" for name in self._compose.containers()]
        return [*found, f"cluster {self._kind().name}"] if self._kind().runs() else found

    def _kind(self) -> Kind:
        return Kind(tools.find(self.instance, "kind"), self.instance)

    def _log(self, name: str) -> Path:
        return self.instance.log_dir / f"{name}.log"

    def _create_cluster(self, say: Say) -> str:
        say("creating the node")
        self._kind().create(self._log("kind"))
        say("waiting for the API server")
        until(CLUSTER_READY, self._api_problem, START_SECONDS)
        return self._kind().name

    def _api_problem(self) -> str | None:
        """Of a node that was stopped, for which kind does not wait."""
        try:
            self.kubectl().run("get", "--raw=/readyz")
        except ComponentError as error:
            return error.reason
        return None

    def _start_services(self, say: Say) -> str:
        self._compose.up(self._log("compose"))
        # Compose only knows that they run; only MariaDB's image has a health check.
        say("waiting for answers")
        until("services", self._first_problem, ANSWER_SECONDS)
        return "all answer"

    def _first_problem(self) -> str | None:
        """The problem of the first service that does not answer; the same checks as in the native provider."""
        accounts, authority = accounts_of(SecretStore(self.instance.secrets_dir)), self.instance.certificates_dir
        found = BackingAddresses.of(self.instance).health(accounts, authority / "ca.crt")
        return next((f"{part.component}: {part.message}" for part in found if not part.ok), None)

    def _assets(self, say: Say) -> str:
        return ensure_assets(self.instance.cache_dir, self._log("assets"), say)

    def _build_images(self, say: Say) -> str:
        names = {image.name: reference(image) for image in IMAGES}
        for image in IMAGES:
            say(f"building {image.name}")
            self._build(image, names[image.name])
            say(f"loading {image.name}")
            self._kind().load(names[image.name], self._log("images"))
        write_names(self.instance, names)
        return f"{len(IMAGES)} images"

    def _build(self, image: Image, name: str) -> None:
        words = ["docker", "build", f"--tag={name}", f"--file={image.containerfile}", str(ROOT)]
        run_long(f"image {image.name}", words, log=self._log("images"))

    def _stop_services(self, say: Say, *, volumes: bool) -> None:
        say("stopping the services")
        self._compose.down(self._log("compose"), volumes=volumes)
