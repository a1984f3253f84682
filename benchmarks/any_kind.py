"""Our API client for kinds that Vivero does not make."""

from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.resources import Resource


class AnyKindClient(KubeClient):
    """Creates and deletes objects of any kind, told by its Resource."""

    async def create_as(self, resource: Resource, manifest: Object) -> Object:
        """Raises KubeAlreadyExistsError when the name is taken."""
        path = resource.path(namespace=manifest["metadata"].get("namespace"))
        full = {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}
        return await self._request("POST", path, full, query={"fieldManager": self.field_manager})

    async def delete_all(self, resource: Resource, namespace: str | None = None) -> None:
        """Ask for the deletion of all objects of a kind (in a namespace) in one request."""
        await self._request("DELETE", resource.path(namespace=namespace))
