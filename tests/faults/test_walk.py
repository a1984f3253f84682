"""The walk over a made-up object: it finds what does not come back, and lets pass what does."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from faults import walk as module
from faults.leaves import Leaf, Schema
from faults.walk import Ground, undo, walk
from reconcile.fakes import FakeKube, merge
from vivero_core.backends.kube.errors import KubeInvalidError
from vivero_core.backends.kube.resources import TENANT_POOL

SCHEMA: Schema = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 0, "maximum": 5},
        "note": {"type": "string", "maxLength": 20},
    },
}
Effect = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


class Checked(FakeKube):
    """Refuses what the schema does not allow, as the API server would."""

    async def patch(self, resource: Any, name: str, patch: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        spec = merge(self.objects[resource.kind, None, name]["spec"], patch["spec"])
        size, note = spec.get("size"), spec.get("note", "")
        if not isinstance(size, int) or not 0 <= size <= 5 or not isinstance(note, str) or len(note) > 20:
            raise KubeInvalidError("kubernetes", "no")
        return await super().patch(resource, name, patch, *args, **kwargs)


def ground(effect: Effect, **more: Any) -> Ground:  # noqa: ANN401  fields of a ground
    """An object whose state is what `effect` makes of its spec and the state before."""
    kube = Checked()
    kube.put({"kind": "TenantPool", "metadata": {"name": "pool"}, "spec": {"size": 1}})
    state: dict[str, Any] = {}

    async def look() -> dict[str, Any]:
        state.update(effect(kube.objects["TenantPool", None, "pool"]["spec"], state))
        return dict(state)

    async def settled(_: int) -> bool:
        return True

    rig = cast("Any", type("Rig", (), {"kube": kube, "proxy": type("Proxy", (), {"journal": []})()})())
    return Ground(rig, TENANT_POOL, "pool", look, settled, **more)


@pytest.fixture(autouse=True)
def schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "spec_schema", lambda _: SCHEMA)


SIZE, NOTE = (Leaf((name,), SCHEMA["properties"][name]) for name in ("size", "note"))


@pytest.mark.parametrize("leaf", [SIZE, NOTE])
async def test_a_state_that_follows_the_spec_passes(leaf: Leaf) -> None:
    assert await walk(ground(lambda spec, _: {"size": spec["size"], "note": spec.get("note")}), leaf) == []


async def test_what_is_only_merged_is_found() -> None:
    """An operator that never takes anything away."""
    problems = await walk(ground(lambda spec, state: {"note": spec.get("note") or state.get("note")}), NOTE)
    assert problems
    assert problems[0].startswith("note: reverted: note: undisturbed None, now ")


async def test_a_state_that_depends_on_the_way_is_found() -> None:
    problems = await walk(ground(lambda spec, state: {"seen": state.get("seen", 0) + spec["size"]}), SIZE)
    assert any("by a detour" in one for one in problems)


async def test_a_leaf_that_must_not_change_but_does_is_found() -> None:
    problems = await walk(ground(lambda spec, _: spec, refused=frozenset({"size"})), SIZE)
    assert problems == ["size: 1 was accepted", "size: 2 was accepted"]


def test_undo_removes_what_was_not_there_and_restores_what_was() -> None:
    leaf = Leaf(("suspended", "message"), {})
    assert undo(leaf, {}) == {"spec": {"suspended": None}}
    assert undo(leaf, {"suspended": {"reason": "Manual"}}) == {"spec": {"suspended": {"message": None}}}
    assert undo(leaf, {"suspended": {"message": "x"}}) == {"spec": {"suspended": {"message": "x"}}}
