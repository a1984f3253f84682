"""Records of tenants' keys in the API server, and the platform's own keys that seal them."""

import base64
from typing import Any, cast

import pytest
from reconcile.fakes import FakeKube
from reconcile.scenes import IDENT
from reconcile.world import NOW, UID, tenant_body
from unit.operator.test_escrow import SOME, instance
from vivero_core.backends.kube.errors import KubeConflictError
from vivero_operator.escrow import sealing
from vivero_operator.escrow.store import KEYS_SECRET, EscrowStore
from vivero_operator.instance import Instance

SPACE = "vivero-system"
PLATFORM = ("Secret", SPACE, KEYS_SECRET)
RECORD = ("Secret", SPACE, f"escrow-{IDENT}")


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


def escrow_store(kube: FakeKube) -> EscrowStore:
    """As a new process has it."""
    return EscrowStore(cast("Any", kube), SPACE)


def heir() -> Instance:
    body = tenant_body("heir", adopt=IDENT)
    body["metadata"]["uid"] = "uid-of-the-heir"
    made = instance("heir")
    return Instance(made.tenant.parse(body), made.plan, made.settings)


class TestRecords:
    async def test_what_is_kept_is_found_by_another_process(self, kube: FakeKube) -> None:
        assert await escrow_store(kube).find(IDENT) is None
        assert await escrow_store(kube).save(instance(), SOME, "main")
        found = await escrow_store(kube).find(IDENT)
        assert found is not None
        assert (found.keys, found.database_server, found.owner_uid, found.retained) == (SOME, "main", UID, False)
        assert [one.id for one in await escrow_store(kube).all()] == [IDENT]

    async def test_it_is_written_once(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        assert not one.is_saved(instance(), SOME, "main")
        assert await one.save(instance(), SOME, "main")
        assert one.is_saved(instance(), SOME, "main")
        kube.writes.clear()
        assert not await one.save(instance(), SOME, "main")
        assert not await escrow_store(kube).save(instance(), SOME, "main"), "another process finds that it says all"
        assert kube.writes == []

    async def test_what_may_have_been_changed_is_looked_at_again(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main")
        del kube.objects[RECORD]
        assert not await one.save(instance(), SOME, "main"), "nothing said that it was gone"
        one.forget(IDENT)
        assert not one.is_saved(instance(), SOME, "main")
        assert await one.save(instance(), SOME, "main")
        assert RECORD in kube.objects

    async def test_retained_and_taken_over(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main")
        assert await one.save(instance(), SOME, "main", retained_at=NOW)
        record = await one.find(IDENT)
        assert record is not None
        assert record.retained
        await one.take_over(record, "uid-of-the-heir")
        taken = await one.find(IDENT)
        assert taken is not None
        assert (taken.owner_uid, taken.keys) == ("uid-of-the-heir", SOME)
        assert await one.save(heir(), SOME, "main"), "it is in use again"
        assert "vivero.dev/retained" not in kube.objects[RECORD]["metadata"]["labels"]

    async def test_of_two_that_take_it_over_one_gets_it(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main", retained_at=NOW)
        record = await one.find(IDENT)
        assert record is not None
        await one.take_over(record, "first")
        with pytest.raises(KubeConflictError):
            await one.take_over(record, "second")

    async def test_erased(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main")
        await one.erase(IDENT)
        assert await one.find(IDENT) is None
        assert not one.is_saved(instance(), SOME, "main")
        await one.erase(IDENT)  # it is gone already

    async def test_one_that_cannot_be_opened_is_sealed_again_from_what_the_secrets_hold(self, kube: FakeKube) -> None:
        await escrow_store(kube).save(instance(), SOME, "main")
        del kube.objects[PLATFORM]
        one = escrow_store(kube)
        closed = await one.find(IDENT)
        assert closed is not None
        assert closed.keys is None
        assert await one.save(instance(), SOME, "main")
        opened = await one.find(IDENT)
        assert opened is not None
        assert opened.keys == SOME


class TestPlatformKeys:
    async def test_made_at_the_first_moment_and_found_again(self, kube: FakeKube) -> None:
        await escrow_store(kube).save(instance(), SOME, "main")
        before = kube.objects[PLATFORM]
        await escrow_store(kube).ensure_keys()
        assert kube.objects[PLATFORM] == before

    async def test_put_back_when_they_are_deleted_or_lack_something(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main")
        before = kube.objects.pop(PLATFORM)["data"]
        await one.ensure_keys()
        assert kube.objects[PLATFORM]["data"] == before
        kube.objects[PLATFORM]["data"] = {"odd": "no base64!", "short": base64.b64encode(b"short").decode()}
        await one.ensure_keys()
        assert before.items() <= kube.objects[PLATFORM]["data"].items()
        found = await escrow_store(kube).find(IDENT)
        assert found is not None
        assert found.keys == SOME

    async def test_a_person_chooses_which_one_seals(self, kube: FakeKube) -> None:
        one = escrow_store(kube)
        await one.save(instance(), SOME, "main")
        second = sealing.SealingKeys.generated()
        kube.objects[PLATFORM]["data"] |= encoded(second)
        kube.objects[PLATFORM]["metadata"]["annotations"] = {"vivero.dev/escrow-key": second.current}
        await one.ensure_keys()
        await one.save(heir(), SOME, "main")
        assert kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/escrow-key"] == second.current
        assert (await find(escrow_store(kube))).keys == SOME

    @pytest.mark.parametrize("named", [{}, {"vivero.dev/escrow-key": "no such key"}])
    async def test_where_nothing_says_which_one_seals_it_stays_the_same(
        self, kube: FakeKube, named: dict[str, str]
    ) -> None:
        one = escrow_store(kube)
        await one.ensure_keys()
        current = kube.objects[PLATFORM]["metadata"]["annotations"]["vivero.dev/escrow-key"]
        for _ in range(8):
            kube.objects[PLATFORM]["data"] |= encoded(sealing.SealingKeys.generated())
        kube.objects[PLATFORM]["metadata"]["annotations"] = named
        await one.ensure_keys()
        await one.save(instance(), SOME, "main")
        assert kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/escrow-key"] == current
        assert (await find(escrow_store(kube))).keys == SOME

    async def test_an_older_key_that_a_person_brings_back_opens_older_records(self, kube: FakeKube) -> None:
        await escrow_store(kube).save(instance(), SOME, "main")
        older = kube.objects.pop(PLATFORM)["data"]
        one = escrow_store(kube)
        assert (await find(one)).keys is None
        kube.objects[PLATFORM]["data"] |= older
        await one.ensure_keys()
        assert (await find(one)).keys == SOME
        # What is sealed from now on is sealed with the key that was current.
        one.forget(IDENT)
        await one.save(heir(), SOME, "main")
        named = kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/escrow-key"]
        assert named not in older

    async def test_a_secret_without_a_usable_key_gets_one(self, kube: FakeKube) -> None:
        meta = {"name": KEYS_SECRET, "namespace": SPACE}
        kube.put({"kind": "Secret", "apiVersion": "v1", "metadata": meta, "data": {"note": "aGVsbG8="}})
        await escrow_store(kube).save(instance(), SOME, "main")
        assert (await find(escrow_store(kube))).keys == SOME
        assert kube.objects[PLATFORM]["data"]["note"] == "aGVsbG8=", "what others put there stays"

    async def test_two_replicas_that_make_them_at_once_use_the_same(
        self, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second one finds the name taken between its look and its write."""
        first, second = escrow_store(kube), escrow_store(kube)
        real = kube.get

        async def late(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passes on what it gets
            try:
                return await real(*args, **kwargs)
            finally:
                monkeypatch.undo()
                await first.save(instance(), SOME, "main")

        monkeypatch.setattr(kube, "get", late)
        await second.all()
        assert (await find(second)).keys == SOME
        await second.save(heir(), SOME, "main")
        assert (await find(escrow_store(kube))).keys == SOME


def encoded(keys: sealing.SealingKeys) -> dict[str, str]:
    return {name: base64.b64encode(key).decode() for name, key in keys.keys.items()}


async def find(one: EscrowStore) -> Any:  # noqa: ANN401  a Record, and its absence is a failure of the test
    found = await one.find(IDENT)
    assert found is not None
    return found
