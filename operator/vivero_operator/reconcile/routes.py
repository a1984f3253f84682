"""Which kind of route tenants have, Ingress or HTTPRoute: decided here alone. And how one kind takes the other's place.

The settings stay as they are while a program runs, so routes of the other kind
are an earlier program's: they are removed, but not before the new ones serve.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import HTTP_ROUTE, INGRESS, Resource
from vivero_core.errors import BackendError, BackendUnavailableError
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT

from vivero_operator.instance import APP, Instance, Manifest
from vivero_operator.manifests import http_route, ingress
from vivero_operator.reconcile.run import Services
from vivero_operator.settings import Settings

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 600.0
AGAIN_SECONDS: Final = 10.0
"""While some are still needed."""


@dataclass(frozen=True)
class Routes:
    """A kind of route, and what it can do."""

    resource: Resource
    build: Callable[[Instance], Manifest]
    """The route of a workspace's address under the base domain."""
    build_at: Callable[[Instance, str, str], Manifest]
    """The same for another host, and the Service of this name."""
    serves: Callable[[Manifest], bool]
    """Whether a live one is known to be in use."""
    takes_own_hosts: bool
    """Whether a customer's host can be routed with its own certificate."""

    @property
    def replaced(self) -> Resource:
        """The other kind, which an earlier program may have made."""
        return HTTP_ROUTE if self.resource is INGRESS else INGRESS

    def places(self, ident: str, platform_namespace: str) -> set[tuple[str, str]]:
        """(name, namespace) of every route that a tenant may have."""
        workspace = {(APP, naming.namespace_name(ident))}
        return workspace | _own_places(ident, platform_namespace) if self.takes_own_hosts else workspace


def _own_places(ident: str, platform_namespace: str) -> set[tuple[str, str]]:
    """Of a customer's own hosts, while they lead to the workspace and while it is suspended."""
    served = {(ingress.hosts_name(issued=issued), naming.namespace_name(ident)) for issued in (False, True)}
    suspended = {(ingress.suspended_name(ident, issued=issued), platform_namespace) for issued in (False, True)}
    return served | suspended


INGRESSES: Final = Routes(INGRESS, ingress.build, ingress.build_at, lambda _: True, takes_own_hosts=True)


def of(settings: Settings) -> Routes:
    """By whether the platform has a Gateway."""
    if settings.gateway is None:
        return INGRESSES
    build = partial(http_route.build, gateway=settings.gateway)
    build_at = partial(http_route.build_at, gateway=settings.gateway)
    # A listener is the Gateway's, and holds the certificate: a route cannot bring one.
    return Routes(HTTP_ROUTE, build, build_at, http_route.is_accepted, takes_own_hosts=False)


class ReplacedRoutes:
    """Removes routes of the kind that the settings chose before. Left there, they would lead to suspended workspaces."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._routes = of(services.settings)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            left = await self.remove()
            await asyncio.sleep(AGAIN_SECONDS if left else EVERY_SECONDS)

    async def remove(self) -> int:
        """Remove those that are not needed any more; how many still are."""
        try:
            listing = await self._services.kube.list_as(
                self._routes.replaced, lambda body: body["metadata"], label_selector=LABEL_TENANT, metadata_only=True
            )
        except BackendUnavailableError as error:
            # The usual case: nothing but Ingresses was ever used, and the cluster does not know HTTPRoutes.
            logger.debug("cannot list %s: %s", self._routes.replaced.plural, error)
            return 0
        except KubeForbiddenError as error:
            logger.warning("cannot tell whether there are replaced routes: %s", error)
            return 0
        return sum([not await self._remove(live) for live in listing.items if self._is_ours(live)])

    def _is_ours(self, live: dict[str, Any]) -> bool:
        """Anybody may give an object of theirs our label."""
        ident, platform = live["labels"][LABEL_TENANT], self._services.settings.platform_namespace
        place = live["name"], live["namespace"]
        return naming.is_tenant_id(ident) and place in INGRESSES.places(ident, platform)

    async def _remove(self, live: dict[str, Any]) -> bool:
        ident, name, namespace = live["labels"][LABEL_TENANT], live["name"], live["namespace"]
        about = {"id": ident, "kind": self._routes.replaced.kind, "object": f"{namespace}/{name}"}
        try:
            if await self._is_needed(ident):
                return False
            await self._services.kube.delete(self._routes.replaced, name, namespace, uid=live["uid"])
        except KubeNotFoundError:
            return True
        except BackendError as error:
            logger.warning("deleting a replaced route failed: %s", error, extra=about)
            return False
        logger.info("deleted a replaced route", extra=about)
        return True

    async def _is_needed(self, ident: str) -> bool:
        """Whether its tenant is served by nothing else yet. Suspended tenants are not served, nor are those that are gone."""
        tenant = self._services.cluster.tenant_of(ident)
        if tenant is None or tenant.spec.suspended is not None:
            return False
        try:
            return not self._routes.serves(
                await self._services.kube.get(self._routes.resource, APP, naming.namespace_name(ident))
            )
        except KubeNotFoundError:
            return True
