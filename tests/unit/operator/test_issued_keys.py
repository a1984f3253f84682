"""An object store that makes access keys itself: each is stored twice before it is used, and one that is gone is replaced."""

import base64

import pytest
from reconcile.scenes import BUCKET, IDENT, NAMESPACE, again, body, condition, events, pod, secret
from reconcile.world import PLAN, SERVER, UID, World, tenant_body
from vivero_core.model.conditions import find
from vivero_core.model.tenant import Tenant
from vivero_operator.settings import Settings

STORAGE = ("Secret", NAMESPACE, "storage")
RECORD = ("Secret", "vivero-system", f"escrow-{IDENT}")
IAM = Settings(data_plane_image="image:1", s3_accounts="iam")


async def serving(settings: Settings = IAM) -> World:
    world = World()
    world.settings = settings
    world.restart()
    for manifest in (PLAN, SERVER, tenant_body()):
        world.put(manifest)
    await world.reconcile()
    world.put(pod())
    for _ in range(2):
        await world.reconcile()
    assert condition(world, "Ready") == "True Proven"
    return world


def told(world: World) -> tuple[str, str]:
    """The key and its secret, as the pod reads them."""
    found = secret(world, "storage")
    return found["access_key"], found["secret_key"]


def known(world: World) -> list[tuple[str, str]]:
    return [*world.backends.s3.keys[BUCKET].items()]


def tamper(world: World, **content: str) -> None:
    live = world.kube.objects[STORAGE]
    live["data"] |= {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    world.put(live)


def corrections(world: World) -> list[str]:
    return [one for one in events(world) if "DriftCorrected" in one]


async def test_a_key_is_issued_once_and_stored_twice() -> None:
    world = await serving()
    assert known(world) == [told(world)]
    assert world.backends.s3.calls.count("new_key") == 1
    record = await world.services.escrow.find(IDENT)
    assert record is not None
    assert record.keys is not None
    assert (record.keys.storage_access_key, record.keys.storage_secret) == told(world)
    assert corrections(world) == []


@pytest.mark.parametrize("gone", [STORAGE, RECORD])
async def test_one_copy_is_made_from_the_other(gone: tuple[str, str, str]) -> None:
    world = await serving()
    before = told(world)
    world.remove(*gone)
    world.restart()
    await world.reconcile()
    assert told(world) == before
    assert known(world) == [before]
    record = await world.services.escrow.find(IDENT)
    assert record is not None
    assert record.keys is not None
    assert record.keys.storage_access_key == before[0]


async def test_half_a_key_is_completed_from_the_record_and_never_mixed() -> None:
    world = await serving()
    before = told(world)
    tamper(world, access_key="")
    await again(world)
    assert told(world) == before


async def test_without_either_copy_another_is_issued() -> None:
    world = await serving()
    before = told(world)
    world.remove(*STORAGE)
    world.remove(*RECORD)
    world.restart()
    await world.reconcile()
    assert told(world) != before
    assert known(world) == [told(world)]


async def test_a_key_that_was_removed_is_replaced_and_told() -> None:
    world = await serving()
    before = told(world)
    world.backends.s3.keys[BUCKET].clear()
    await again(world)
    found = find(Tenant.parse(body(world)).status.conditions, "StorageReady")
    assert found is not None
    assert found.message == "Issued a new access key"
    world.put(pod())
    await again(world)
    assert told(world) != before
    assert known(world) == [told(world)]
    assert condition(world, "StorageReady") == "True Provisioned"
    (correction,) = corrections(world)
    assert "storage account" in correction
    record = await world.services.escrow.find(IDENT)
    assert record is not None
    assert record.keys is not None
    assert record.keys.storage_access_key == told(world)[0]


async def test_a_changed_secret_asks_for_another_key_and_is_no_drift() -> None:
    """How a person has a key rotated; the pods start again with it."""
    world = await serving()
    before, template = told(world), world.kube.objects["Deployment", NAMESPACE, "app"]["spec"]["template"]
    tamper(world, secret_key="another one, please")
    for _ in range(2):
        await again(world)
    assert told(world)[0] != before[0]
    assert known(world) == [told(world)]
    assert corrections(world) == []
    assert world.kube.objects["Deployment", NAMESPACE, "app"]["spec"]["template"] != template


async def test_a_crash_before_the_key_is_stored_leaves_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await serving()
    world.backends.s3.keys[BUCKET].clear()
    apply = world.kube.apply

    async def crash(manifest: dict[str, object], **_: object) -> dict[str, object]:
        raise RuntimeError(manifest["kind"])

    with monkeypatch.context() as patch:
        patch.setattr(world.kube, "apply", crash)
        world.state.suspect(UID)
        with pytest.raises(ExceptionGroup):
            await world.reconcile()
    assert world.kube.apply == apply
    world.restart()
    for _ in range(3):
        await world.reconcile()
    assert known(world) == [told(world)]
    assert condition(world, "StorageReady") == "True Provisioned"


@pytest.mark.parametrize(("first", "then"), [("versitygw", "iam"), ("iam", "versitygw")])
async def test_who_keeps_the_accounts_may_change(first: str, then: str) -> None:
    world = await serving(Settings.model_validate({"data_plane_image": "image:1", "s3_accounts": first}))
    world.settings = Settings.model_validate({"data_plane_image": "image:1", "s3_accounts": then})
    world.restart()
    for _ in range(3):
        await world.reconcile()
    key, _ = told(world)
    assert key == BUCKET if then == "versitygw" else key in world.backends.s3.keys[BUCKET]
    assert condition(world, "StorageReady") == "True Provisioned"


async def test_a_record_of_who_needs_no_key_is_as_earlier_releases_wrote_it() -> None:
    world = await serving(Settings(data_plane_image="image:1"))
    record = await world.services.escrow.find(IDENT)
    assert record is not None
    assert record.keys is not None
    assert "storage_access_key" not in record.keys.dump()
    assert told(world)[0] == BUCKET
    assert "new_key" not in world.backends.s3.calls
