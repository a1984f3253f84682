"""The new cluster of a rebuild: objects that are found, made and removed, and Jobs that load what is brought back."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import JOB, POD, SECRET, of_model
from vivero_core.backends.kube.resources import Resource as Address
from vivero_core.model import naming
from vivero_core.model.base import Resource

from vivero_operator.operations import runner
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import Program
from vivero_operator.operations.platform_state import Body
from vivero_operator.operations.runner import Operation, Outcome
from vivero_operator.settings import Settings

R = TypeVar("R", bound=Resource)


class NewCluster:
    """As the operator's account reaches it."""

    def __init__(self, kube: KubeClient, settings: Settings, look_seconds: float) -> None:
        """`look_seconds`: how often a Job is looked at."""
        self._kube = kube
        self._settings = settings
        self._look_seconds = look_seconds
        self._namespace = settings.platform_namespace

    async def all(self, model: type[R]) -> list[R]:
        """Every object of a kind."""
        return [model.parse(body) for body in (await self._kube.list(of_model(model))).items]

    async def names(self, model: type[Resource]) -> set[str]:
        """Of every object of a kind."""
        return {str(body["metadata"]["name"]) for body in (await self._kube.list(of_model(model))).items}

    async def found(self, resource: Address, name: str, namespace: str | None) -> Body | None:
        """None if there is none."""
        try:
            return await self._kube.get(resource, name, namespace)
        except KubeNotFoundError:
            return None

    async def create(self, manifest: Body) -> bool:
        """Whether it was not there yet."""
        try:
            await self._kube.create(manifest)
        except KubeAlreadyExistsError:
            return False
        return True

    async def delete(self, resource: Address, name: str) -> None:
        """One of the platform's namespace; no error if there is none."""
        body = await self.found(resource, name, self._namespace)
        if body is not None:
            with suppress(KubeNotFoundError):
                await self._kube.delete(resource, name, self._namespace, uid=body["metadata"]["uid"])

    async def done(self, ident: str, program: Program, make: Callable[[], Awaitable[Operation]]) -> str:
        """Run its Job, unless it was done before; what it says. The Job stays until all is done, for it is what tells that."""
        name = runner.name_of(program.name, ident)
        body = await self.found(JOB, name, self._namespace)
        if body is not None and await self._has_failed(program, name, body):
            # In this order: an order that outlived its Job would be the next one's.
            await self.delete(SECRET, name)
            await self.delete(JOB, name)
            body = None
        if body is None:
            operation = await make()
            for manifest in (runner.secret(operation, self._settings), runner.job(operation, self._settings)):
                await self.create(manifest)
        while True:
            body = await self.found(JOB, name, self._namespace)
            if body is None:
                raise StepFailedError(f"Job {name} was deleted")
            found = await self._progress(program, name, body)
            if found.outcome is not Outcome.RUNNING:
                break
            await asyncio.sleep(self._look_seconds)
        await self.delete(SECRET, name)
        if found.outcome is not Outcome.DONE:
            raise StepFailedError(found.message)
        result = found.result
        files = (
            f", files {result['files']}, gone for good {result.get('missingFiles', 0)}"
            if ident != naming.PLATFORM_ID
            else ""
        )
        return f"as of {result.get('restoredTo')}{files}"

    async def _progress(self, program: Program, name: str, body: Body) -> runner.Progress:
        pods = await self._kube.list(POD, self._namespace, label_selector=f"batch.kubernetes.io/job-name={name}")
        return runner.progress(program.steps, body, pods.items)

    async def _has_failed(self, program: Program, name: str, body: Body) -> bool:
        return (await self._progress(program, name, body)).outcome in {Outcome.FAILED, Outcome.REFUSED}
