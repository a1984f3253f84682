"""`./vivero up`: brings the platform up, with one trial tenant; idempotent."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import httpx

from vivero_dev.backing.accounts import accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.backing.backup_bucket import BUCKET, ensure_backup_bucket
from vivero_dev.certificates import Authority
from vivero_dev.errors import ComponentError
from vivero_dev.localhost import local_client
from vivero_dev.observability.charts import rendered
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.platform.backing import backing_objects
from vivero_dev.platform.credentials import certificate_delegation, namespaces, platform_objects, recovery_key
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.releases import Helm, Release
from vivero_dev.platform.spares import POOL_SIZE, pool
from vivero_dev.platform.trial import Trial, confirm, sign_up
from vivero_dev.platform.values import (
    DEFAULT_CHORES,
    REQUESTS_PER_MINUTE,
    Chores,
    control_plane_telemetry,
    control_plane_values,
    operator_telemetry,
    operator_values,
)
from vivero_dev.probing import until
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY, SERVICES_READY, Provider
from vivero_dev.secret_store import SecretStore
from vivero_dev.status import DemoFile
from vivero_dev.steps import Say, Step

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
PAGE_SECONDS = 60.0
DEMO_COMPANY = "Demo"
DEMO_EMAIL = "owner@demo.example"


@dataclass(frozen=True, slots=True)
class Platform:
    """The steps after the provider's own: names, secrets, charts, the first tenant."""

    provider: Provider
    requests_per_minute: int = REQUESTS_PER_MINUTE
    pool_size: int = POOL_SIZE
    chores: Chores = DEFAULT_CHORES
    observability: bool = False

    def steps(self, *, demo: bool = True) -> list[Step]:
        """All steps of `up`; without `demo` the trial signup is left out."""
        steps = [
            *self.provider.steps(),
            Step("namespaces", self._apply_namespaces, (CLUSTER_READY,)),
            Step("custom resources", self._release("vivero-crds", dict), ("namespaces",)),
            Step("credentials", self._apply_objects, ("namespaces", SERVICES_READY, INGRESS_READY)),
            Step("backup bucket", self._ensure_backup_bucket, ("credentials",)),
            Step("operator", self._release("vivero-operator", self._operator_values), self._before_programs()),
            Step("control plane", self._release("vivero-control-plane", self._page_values), self._before_programs()),
            Step("public page", self._await_page, ("control plane", "operator")),
        ]
        if demo:
            steps.append(Step("trial signup", self._demo, ("public page",)))
        # Last, because its pods would delay the first tenant's.
        steps.append(Step("spares", self._keep_spares, (steps[-1].name,)))
        return [*steps, *self._observability()]

    def _observability(self) -> list[Step]:
        if not self.observability:
            return []
        observe = self.provider.observe
        if observe is None:
            raise ComponentError("--observability", f"the {self.provider.name} provider has none, only the native one")
        return [Step("observability", lambda say: observe(self._monitoring(), say), ("public page",))]

    def _before_programs(self) -> tuple[str, ...]:
        return ("custom resources", "backup bucket", IMAGES_READY)

    def _apply_namespaces(self, _: Say) -> str:
        self.provider.kubectl().apply(namespaces())
        return "applied"

    def _apply_objects(self, _: Say) -> str:
        provider, instance = self.provider, self.provider.instance
        authority, secrets = Authority(instance.certificates_dir), SecretStore(instance.secrets_dir)
        objects = platform_objects(accounts_of(secrets), authority, secrets)
        objects += [certificate_delegation(), *backing_objects(provider.endpoints())]
        provider.kubectl().apply(objects)
        return f"{len(objects)} objects applied"

    def _ensure_backup_bucket(self, _: Say) -> str:
        instance = self.provider.instance
        accounts, endpoint = accounts_of(SecretStore(instance.secrets_dir)), BackingAddresses.of(instance).s3_endpoint
        authority = instance.certificates_dir / "ca.crt"
        made = ensure_backup_bucket(endpoint, accounts.s3_admin, accounts.s3_backup, authority)
        return f"{BUCKET} {'made' if made else 'is there'}"

    def _release(self, chart: str, values: Callable[[], dict[str, object]]) -> Callable[[Say], str]:
        def ensure(say: Say) -> str:
            return self._helm().ensure(Release(chart, CHARTS / chart, values()), say)

        return ensure

    def _helm(self) -> Helm:
        instance = self.provider.instance
        kubectl: Kubectl = self.provider.kubectl()
        return Helm(self.provider.helm(), kubectl, instance.folder("releases"), instance.log_dir)

    def _operator_values(self) -> dict[str, object]:
        instance, images = self.provider.instance, self.provider.images()
        own = operator_values(instance, images, self.chores, recovery_key(SecretStore(instance.secrets_dir)))
        return own | (operator_telemetry() if self._is_watched() else {})

    def _page_values(self) -> dict[str, object]:
        provider = self.provider
        own = control_plane_values(
            provider.instance,
            provider.images(),
            self.requests_per_minute,
            ingress_address=provider.ingress_address,
            prometheus_url=provider.prometheus_url if self._is_watched() else "",
        )
        return own | (control_plane_telemetry() if self._is_watched() else {})

    def _is_watched(self) -> bool:
        """Now, or since an earlier `up`."""
        return self.observability or bool(self.provider.observability())

    def _monitoring(self) -> Monitoring:
        values = {"vivero-operator": self._operator_values(), "vivero-control-plane": self._page_values()}
        return rendered(self.provider.helm(), {CHARTS / chart: given for chart, given in values.items()})

    def _await_page(self, _: Say) -> str:
        """Wait until the ingress serves the control plane, for browsers and the signup."""
        instance = self.provider.instance

        def answers() -> str | None:
            try:
                with local_client(instance.certificates_dir / "ca.crt", timeout=5) as client:
                    code = client.get(f"{instance.public_url}/healthz").status_code
            except (httpx.HTTPError, OSError) as error:
                return f"{instance.public_url}: {error}"
            return None if code == httpx.codes.OK else f"{instance.public_url}/healthz answers {code}"

        until("control plane page", answers, PAGE_SECONDS)
        return instance.public_url

    def _keep_spares(self, _: Say) -> str:
        self.provider.kubectl().apply([pool(self.pool_size)])
        return f"{self.pool_size} are kept for the next signups"

    def _demo(self, say: Say) -> str:
        kept = DemoFile.of(self.provider.instance)
        trial = kept.read()
        if trial is not None and self.provider.kubectl().get("tenants.vivero.dev", trial.name) is not None:
            return f"{trial.name} is there"
        say("waiting for the workspace")
        trial = self.trial(DEMO_COMPANY, DEMO_EMAIL)
        kept.write(trial)
        return f"{trial.name} ready in {trial.seconds:.1f} s"

    def trial(self, company: str, email: str) -> Trial:
        """Sign up through the public API with a random password, and confirm the address by the mail in the sink."""
        instance = self.provider.instance
        ca = instance.certificates_dir / "ca.crt"
        if not ca.exists():
            raise ComponentError(f"instance {instance.name}", "is not up; run ./vivero up first")
        password = token_urlsafe(18)
        trial = sign_up(instance.public_url, ca, company=company, email=email, password=password)
        with local_client(ca) as client:
            confirm(client, instance.public_url, BackingAddresses.of(instance).mail_url, email)
        return trial
