"""The walk over a leaf: set, change, invalid, revert, remove; what it must leave behind is what it found.

Where a value leads must not depend on the way there: reached by a detour or at once, the state is the same. And a value
that is taken away again leaves nothing, in no object and on no server.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from faults.leaves import Leaf, invalid, leaves, optional, spec_schema, values
from faults.rig import Rig, eventually
from faults.state import Names, State, diff
from vivero_core.backends.kube.errors import KubeInvalidError
from vivero_core.backends.kube.resources import Resource

Object = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """An object whose leaves are walked, and how its state is seen once the operator is idle."""

    rig: Rig
    resource: Resource
    name: str
    state: Callable[[], Awaitable[State]]
    settled: Callable[[int], Awaitable[bool]]
    """Whether the operator has looked and come to rest after that many calls in the journal."""
    about: Names | None = None
    """The Tenant through which it is seen."""
    table: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    """Leaves that cannot be set or changed once the object is there."""
    kept: frozenset[str] = frozenset()
    """Leaves that must not be without a value here."""
    context: Mapping[str, Object] = field(default_factory=dict)
    """What has to stand in the spec for a leaf to be allowed."""

    @property
    def leaves(self) -> list[Leaf]:
        return list(leaves(spec_schema(self.resource.plural)))

    async def spec(self) -> Object:
        spec: Object = (await self.rig.kube.get(self.resource, self.name))["spec"]
        return spec

    async def put(self, patch: Object) -> State:
        """The state once the operator has taken it in."""
        mark, before = len(self.rig.proxy.journal), await self.spec()
        await self.rig.kube.patch(self.resource, self.name, patch)
        if await self.spec() != before:
            await eventually(lambda: self.settled(mark))
        return await self.state()

    async def refuses(self, patch: Object) -> bool:
        try:
            await self.rig.kube.patch(self.resource, self.name, patch)
        except KubeInvalidError:
            return True
        return False


def undo(leaf: Leaf, spec: Object) -> Object:
    """A merge patch that brings the leaf, and what it stands in, back to what they are in `spec`."""
    path: list[str] = []
    for word in leaf.path:
        path.append(word)
        if not isinstance(spec, dict) or word not in spec:
            return Leaf(tuple(path), {}).patch(None)
        spec = spec[word]
    return leaf.patch(spec)


async def walk(ground: Ground, leaf: Leaf) -> list[str]:
    """What was other than it has to be; empty when all is well."""
    if str(leaf) in ground.refused:
        return await _is_fixed(ground, leaf)
    outside = await ground.spec()
    if str(leaf) in ground.context:
        await ground.put({"spec": ground.context[str(leaf)]})
    problems = await _walk(ground, leaf)
    await ground.put({"spec": {key: outside.get(key) for key in {*outside, *await ground.spec()}}})
    return [f"{leaf}: {one}" for one in problems]


async def _is_fixed(ground: Ground, leaf: Leaf) -> list[str]:
    tried = (*values(leaf, ground.table), *invalid(leaf))
    return [f"{leaf}: {value!r} was accepted" for value in tried if not await ground.refuses(leaf.patch(value))]


async def _walk(ground: Ground, leaf: Leaf) -> list[str]:
    spec, before = await ground.spec(), await ground.state()
    one, other = values(leaf, ground.table)
    await ground.put(leaf.patch(one))
    detour = await ground.put(leaf.patch(other))
    problems = [f"{value!r} was accepted" for value in invalid(leaf) if not await ground.refuses(leaf.patch(value))]
    problems += _named("reverted", diff(before, await ground.put(undo(leaf, spec))))
    problems += _named("by a detour", diff(await ground.put(leaf.patch(other)), detour))
    if str(leaf) not in ground.kept:
        problems += await _removed(ground, leaf)
    return problems + _named("restored", diff(before, await ground.put(undo(leaf, spec))))


async def _removed(ground: Ground, leaf: Leaf) -> list[str]:
    """Taken away, it leaves the same behind whatever it was."""
    if not optional(leaf, spec_schema(ground.resource.plural)):
        return [] if await ground.refuses(leaf.patch(None)) else ["a required field was removed"]
    once = await ground.put(leaf.patch(None))
    await ground.put(leaf.patch(values(leaf, ground.table)[0]))
    return _named("removed", diff(once, await ground.put(leaf.patch(None))))


def _named(when: str, differences: list[str]) -> list[str]:
    return [f"{when}: {one}" for one in differences]
