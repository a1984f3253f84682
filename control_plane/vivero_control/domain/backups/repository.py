"""TenantBackups and TenantRestores in the cluster: kept in memory by a watch, made, and never changed or deleted."""

from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar, cast

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.kube.resources import of_model
from vivero_core.errors import BackendError
from vivero_core.model.constants import API_VERSION, LABEL_MANAGED_BY
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore

from vivero_control.domain.backups import policies
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import MANAGER, refused
from vivero_control.lib.informer import Informer

Item = TypeVar("Item", bound=TenantBackup | TenantRestore)

_UNDER_WAY: Final = "under-way:"
"""An index key; no Tenant has such a name."""


def _keys(item: TenantBackup | TenantRestore) -> Iterator[str]:
    yield item.spec.tenant
    if policies.under_way(item):
        yield _UNDER_WAY


class OperationDirectory(Informer[Item]):
    """Every object of one kind, indexed by the Tenant whose data it is, and by whether it is under way."""

    def __init__(self, model: type[Item]) -> None:
        super().__init__(of_model(model), model, _keys)

    def of_tenant(self, name: str) -> list[Item]:
        """Raises ClusterUnavailableError while nobody knows which there are."""
        self._check_known()
        return self.by_index(name)

    def every(self) -> list[Item]:
        """Raises ClusterUnavailableError while nobody knows which there are."""
        self._check_known()
        return self.all()

    def under_way(self) -> list[Item]:
        """Of all tenants."""
        return self.by_index(_UNDER_WAY)

    def _check_known(self) -> None:
        """After an error they may be outdated, and are shown; before the first list there is nothing to show."""
        if not self.synced and not self.all():
            raise ClusterUnavailableError


class OperationRepository(Generic[Item]):
    """Makes objects of one kind."""

    def __init__(self, client: KubeClient, model: type[Item], directory: OperationDirectory[Item]) -> None:
        self._client = client
        self._model = model
        self._directory = directory

    async def create(self, name: str, spec: dict[str, Any]) -> Item:
        """Make it, or return the one of that name: names follow from orders, so it is the same order's.

        Raises:
            TenantRefusedError: the API server's rules say no; its sentences are in the error.
            ClusterUnavailableError: it does not answer; try again.
        """
        manifest = {
            "apiVersion": API_VERSION,
            "kind": self._model.__name__,
            "metadata": {"name": name, "labels": {LABEL_MANAGED_BY: MANAGER}},
            "spec": spec,
        }
        try:
            made = cast(
                "Item", self._model.parse(await self._made_or_found(name, manifest))
            )  # of a union, mypy forgets which
        except BackendError as error:
            raise refused(error) from error
        self._directory.record_write(made)
        return made

    async def _made_or_found(self, name: str, manifest: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._client.create(manifest)
        except KubeAlreadyExistsError:
            return await self._client.get(of_model(self._model), name)
