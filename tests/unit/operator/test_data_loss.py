"""Data is never replaced by something new: whatever is gone, and whatever a tenant's state says of it."""

import asyncio
import base64
import itertools
from collections.abc import Callable
from typing import ClassVar, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reconcile.scenes import (
    BUCKET,
    IDENT,
    NAMESPACE,
    SCHEMA,
    again,
    begun,
    body,
    change,
    condition,
    events,
    secret,
    serving,
)
from reconcile.world import World
from vivero_operator.policies import outcome

APP = ("Secret", NAMESPACE, "app")
RECORD = ("Secret", "vivero-system", f"escrow-{IDENT}")
SPACE = ("Namespace", None, NAMESPACE)


def empty(world: World, *names: str) -> None:
    world.backends.servers["main"].empty |= set(names)
    world.backends.s3.empty |= set(names)


def tamper(world: World, **content: str) -> None:
    """A person edits Secret app."""
    live = world.kube.objects[APP]
    live["data"] |= {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    world.put(live)


def file_key(world: World) -> str | None:
    return secret(world)["file_key"] if APP in world.kube.objects else None


class TestKeyOfTheFiles:
    """A new one only where nothing was ever written with the old one."""

    GONE: ClassVar = [(), (APP,), (RECORD,), (APP, RECORD), (SPACE,), (SPACE, RECORD)]
    HELD: ClassVar = [(), (SCHEMA,), (BUCKET,), (SCHEMA, BUCKET)]

    @pytest.mark.parametrize(("gone", "held"), [*itertools.product(GONE, HELD)])
    @pytest.mark.parametrize("status", ["proven", "never ready", "wiped by hand"])
    async def test_it_is_new_only_where_nothing_is_held(
        self, gone: tuple[tuple[str, str | None, str], ...], held: tuple[str, ...], status: str
    ) -> None:
        world = await (begun() if status == "never ready" else serving())
        if status == "wiped by hand":
            body(world)["status"] = {}
            world.put(body(world))
        before = file_key(world)
        for one in gone:
            world.remove(*one)
        empty(world, *({SCHEMA, BUCKET} - set(held)))
        world.restart()
        await world.reconcile()
        was_nowhere = RECORD in gone and len(gone) > 1
        if not was_nowhere:
            assert file_key(world) == before
        elif held or status == "proven":
            assert file_key(world) is None
            assert condition(world, "Ready") == "False KeysLost"
            assert RECORD not in world.kube.objects
        else:
            assert file_key(world) not in (None, before)

    @pytest.mark.parametrize("word", ["", "short", "g" * 64, "0" * 63, "line\nbreak" * 7])
    async def test_one_that_was_changed_in_the_secret_is_put_back(self, word: str) -> None:
        world = await serving()
        before = file_key(world)
        tamper(world, file_key=word)
        await again(world)
        assert file_key(world) == before
        assert "Warning DriftCorrected: Drift corrected: Secret/app was changed outside Vivero" in events(world)

    @pytest.mark.parametrize("encoded", ["/////w==", "no base64!"])
    async def test_one_that_is_no_text_is_put_back(self, encoded: str) -> None:
        world = await serving()
        before = file_key(world)
        world.kube.objects[APP]["data"]["file_key"] = encoded
        await again(world)
        assert file_key(world) == before

    async def test_one_that_is_well_formed_and_another_is_put_back_too(self) -> None:
        world = await serving()
        before = file_key(world)
        tamper(world, file_key="0" * 64)
        await again(world)
        assert file_key(world) == before

    async def test_other_credentials_are_whatever_a_person_makes_them(self) -> None:
        world = await serving()
        tamper(world, signing_key="1" * 64)
        await again(world)
        assert secret(world)["signing_key"] == "1" * 64
        assert not any("Drift" in one for one in events(world))

    async def test_after_the_loss_was_given_up_it_is_new_once(self) -> None:
        world = await serving()
        for one in (APP, RECORD):
            world.remove(*one)
        world.restart()
        await world.reconcile()
        assert file_key(world) is None
        change(world, acceptDataLossAt=body(world)["status"]["dataLostAt"])
        await world.reconcile()
        made = file_key(world)
        assert made is not None
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        for one in (APP, RECORD):
            world.remove(*one)
        world.restart()
        await world.reconcile()
        assert file_key(world) is None, "what was given up was the first loss"


def gone(*what: tuple[str, str | None, str]) -> Callable[[World], None]:
    """Deletes those that are there."""

    def act(world: World) -> None:
        for one in what:
            if one in world.kube.objects:
                world.remove(*one)

    return act


HANDS: Final[dict[str, Callable[[World], object]]] = {
    "drop schema": lambda world: world.backends.servers["main"].databases.discard(SCHEMA),
    "drop tables": lambda world: empty(world, SCHEMA),
    "drop bucket": lambda world: world.backends.s3.buckets.pop(BUCKET, None),
    "drop users": lambda world: world.backends.servers["main"].users.clear(),
    "delete secret app": gone(APP),
    "delete all secrets": gone(*(("Secret", NAMESPACE, name) for name in ("app", "database", "cache", "storage"))),
    "delete record": gone(RECORD),
    "delete namespace": gone(SPACE),
    "restart operator": World.restart,
}


def holds_all(world: World) -> tuple[bool, bool]:
    """(schema with tables, bucket)"""
    database = world.backends.servers["main"]
    return SCHEMA in database.databases - database.empty, BUCKET in world.backends.s3.buckets


@settings(max_examples=40)
@example(["delete all secrets"] * 6)
@given(st.lists(st.sampled_from(sorted(HANDS)), min_size=1, max_size=8))
def test_whatever_is_taken_away_nothing_is_made_in_its_place(hands: list[str]) -> None:
    async def play() -> None:
        world = await serving()
        key = file_key(world)
        for hand in hands:
            HANDS[hand](world)
            before = holds_all(world)
            await again(world)
            assert holds_all(world) == before
            assert file_key(world) in (None, key)
            if condition(world, "Ready") == "True Proven":
                assert before == (True, True)
                assert file_key(world) == key
            lost = not all(before) or file_key(world) is None
            assert lost == (body(world)["status"].get("dataLostAt") is not None)

    asyncio.run(play())


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        (outcome.of_schema(SCHEMA, "main"), (SCHEMA, "main")),
        (outcome.of_tables(SCHEMA, "main"), (SCHEMA, "main")),
        (outcome.of_bucket(BUCKET), (BUCKET,)),
        (outcome.of_keys(IDENT), ("Secret app", f"Secret escrow-{IDENT}")),
    ],
)
def test_what_is_said_names_it_and_both_ways_out(sentence: str, named: tuple[str, ...]) -> None:
    for word in (*named, "from a backup", "spec.acceptDataLossAt", "status.dataLostAt"):
        assert word in sentence
