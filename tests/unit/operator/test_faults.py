"""The API server fails in the middle of a pass: what is said, what goes on, and what is a bug."""

from collections.abc import Callable
from typing import Any

import pytest
from reconcile.world import PLAN, SERVER, UID, World, tenant_body
from vivero_core.backends.kube.errors import KubeNotFoundError, KubeUnavailableError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.conditions import find
from vivero_core.model.constants import LABEL_SIGNUP


@pytest.fixture
def world() -> World:
    world = World()
    for manifest in (PLAN, SERVER, tenant_body()):
        world.put(manifest)
    # Of a signup every step is told.
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "labels": {LABEL_SIGNUP: "f00d"}}})
    return world


def failing(world: World, monkeypatch: pytest.MonkeyPatch, verb: str, kind: str, error: Exception) -> None:
    """Every request of this verb about this kind fails."""
    real: Callable[..., Any] = getattr(world.kube, verb)

    async def broken(subject: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passes on what it gets
        if kind in (getattr(subject, "kind", None), subject["kind"] if isinstance(subject, dict) else None):
            raise error
        return await real(subject, *args, **kwargs)

    monkeypatch.setattr(world.kube, verb, broken)


async def test_one_object_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(world, monkeypatch, "apply", "NetworkPolicy", KubeUnavailableError("kubernetes", "no answer"))
    result = await world.reconcile()
    ready = find((await world.tenant()).status.conditions, "Ready")
    assert result.failed
    assert ready is not None
    assert (ready.reason, ready.message) == ("KubernetesError", "kubernetes: no answer")
    assert any(write.startswith("apply Ingress") for write in world.kube.writes)


async def test_a_secret_that_cannot_be_read_is_not_made_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.reconcile()
    failing(world, monkeypatch, "list", "Secret", KubeUnavailableError("kubernetes", "no answer"))
    assert (await world.reconcile()).failed
    assert not any("Secret" in write for write in world.kube.writes)


async def test_a_namespace_that_is_said_to_be_missing_makes_no_secret_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read from the past must not cost the key without which no one reads the tenant's files again."""
    await world.reconcile()
    before = (await world.kube.list(SECRET)).items
    failing(world, monkeypatch, "get", "Namespace", KubeNotFoundError("kubernetes", "no such namespace"))
    world.state.forget(UID)
    await world.reconcile()
    assert (await world.kube.list(SECRET)).items == before


async def test_an_event_that_cannot_be_posted_holds_nothing_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(world, monkeypatch, "create", "Event", KubeUnavailableError("kubernetes", "no answer"))
    assert not (await world.reconcile()).failed
    assert (await world.tenant()).status.id == (await world.tenant()).id


async def test_a_bug_in_a_step_is_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(world, monkeypatch, "apply", "ResourceQuota", ZeroDivisionError("bug"))
    with pytest.raises(BaseExceptionGroup) as caught:
        await world.reconcile()
    assert caught.group_contains(ZeroDivisionError)


async def test_a_tenant_that_vanishes_in_the_middle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = await world.tenant()

    async def gone(*_: object, **__: object) -> None:
        world.cluster.tenants.drop(tenant.name, tenant.metadata.uid)
        raise KubeNotFoundError("kubernetes", "no such tenant")

    monkeypatch.setattr(world.kube, "patch_status", gone)
    assert not (await world.reconciler.reconcile(tenant.name)).failed


async def test_a_status_that_is_not_there_is_an_error_while_the_tenant_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(world, monkeypatch, "patch_status", "Tenant", KubeNotFoundError("kubernetes", "no such resource"))
    with pytest.raises(KubeNotFoundError):
        await world.reconciler.reconcile("acme")
