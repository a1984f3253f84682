"""Which release each tenant's pods are made from at this moment; the reconcile of the current Release moves them on."""

from typing import Final

from vivero_core.model.tenant import Tenant

from vivero_operator.instance import digest
from vivero_operator.manifests import pod_template
from vivero_operator.manifests.pod_template import Template
from vivero_operator.policies import release as policy
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.settings import Settings

_DIGEST_LENGTH: Final = 10


class Rollout:
    """The release that this program's settings describe, and who may have it."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._cluster = cluster
        self._template = pod_template.common(settings)
        self.current = f"r{digest(self._template)[:_DIGEST_LENGTH]}"
        """Name of the release; the same image and template have the same name, however often they come back."""
        self.moves = policy.Moves()
        """Of tenants to the current release."""

    def template(self, release: str | None) -> Template | None:
        """What pods of this release are made from; None when nothing says so any more."""
        if release == self.current:
            return self._template
        known = self._cluster.releases.get(release or "")
        return known.spec.pod_template if known is not None else None

    def release_for(self, tenant: Tenant) -> str | None:
        releases = {one.name: one for one in self._cluster.releases}
        proven = [name for name in {*releases, self.current} if self._cluster.tenants.having(("ready on", name))]
        return policy.for_tenant(tenant, self.current, releases, self.moves.asked, proven)
