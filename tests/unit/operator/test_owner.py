"""The owner's account: what spec.owner says is carried out, and what is known of it no failure erases."""

from typing import Any

import pytest
from reconcile.scenes import again, body, change, condition, events, password, pod, serving
from reconcile.world import World
from vivero_core.backends.kube.errors import KubeUnavailableError
from vivero_core.model.conditions import find
from vivero_core.model.tenant import Tenant

HELD = ("Secret", "vivero-signups", "signup-1")


async def with_password(content: str = "$argon2id$first") -> World:
    """Ready, the first password carried out and its Secret gone."""
    world = await serving()
    password(world, content=content)
    change(world, owner={"email": "a@b.co", "passwordHashSecret": "signup-1"})
    await world.reconcile()
    assert world.data_plane.accounts == {"a@b.co": content}
    assert HELD not in world.kube.objects
    return world


def known(world: World) -> dict[str, Any]:
    found: dict[str, Any] = body(world)["status"]["owner"]
    return found


def said(world: World) -> str:
    found = find(Tenant.parse(body(world)).status.conditions, "OwnerReady")
    assert found is not None
    return found.message


class TestChanges:
    async def test_another_address_is_the_same_account(self) -> None:
        world = await with_password()
        change(world, owner={"email": "new@b.co", "passwordHashSecret": None})
        await world.reconcile()
        assert world.data_plane.accounts == {"new@b.co": "$argon2id$first"}
        assert known(world) == {"email": "new@b.co", "passwordHashSecret": "signup-1"}
        assert condition(world, "OwnerReady") == "True AccountExists"

    @pytest.mark.parametrize("name", ["signup-1", "staff-7"])
    async def test_a_new_password_is_set_and_only_then_forgotten(self, name: str) -> None:
        world = await with_password()
        password(world, name, "$argon2id$second")
        change(world, owner={"passwordHashSecret": name})
        await world.reconcile()
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$second"}
        assert ("Secret", "vivero-signups", name) not in world.kube.objects
        assert known(world) == {"email": "a@b.co", "passwordHashSecret": name}

    async def test_one_under_the_old_name_needs_no_change_of_the_spec(self) -> None:
        world = await with_password()
        password(world, content="$argon2id$second")
        await again(world, suspect=False)
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$second"}
        assert HELD not in world.kube.objects

    async def test_address_and_password_at_once(self) -> None:
        world = await with_password()
        password(world, "staff-7", "$argon2id$second")
        change(world, owner={"email": "new@b.co", "passwordHashSecret": "staff-7"})
        await world.reconcile()
        assert world.data_plane.accounts == {"new@b.co": "$argon2id$second"}

    async def test_nothing_new_is_told_once(self) -> None:
        world = await with_password()
        told = len(world.data_plane.owners)
        await again(world, suspect=False)
        assert len(world.data_plane.owners) == told


class TestNotNow:
    """A password that cannot be set at this moment is neither lost nor said to be set."""

    async def no_pod(self, world: World) -> None:
        world.remove("Pod", "tenant-u5g5446au3", "app-1")

    async def pod_answers_500(self, world: World) -> None:
        world.data_plane.down = True

    async def refused(self, world: World) -> None:
        world.data_plane.refusal = "password_hash is too weak"

    async def suspended(self, world: World) -> None:
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()

    @pytest.mark.parametrize("obstacle", ["no_pod", "pod_answers_500", "refused", "suspended"])
    @pytest.mark.parametrize("name", ["signup-1", "staff-7"])
    async def test_it_waits(self, obstacle: str, name: str) -> None:
        world = await with_password()
        await getattr(self, obstacle)(world)
        password(world, name, "$argon2id$second")
        change(world, owner={"passwordHashSecret": name})
        for _ in range(2):
            await again(world)
        assert ("Secret", "vivero-signups", name) in world.kube.objects
        assert known(world) == {"email": "a@b.co", "passwordHashSecret": "signup-1"}
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$first"}
        world.data_plane.down, world.data_plane.refusal = False, None
        change(world, suspended=None)
        world.put(pod("app-2"))
        for _ in range(3):
            await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$second"}
        assert ("Secret", "vivero-signups", name) not in world.kube.objects

    async def test_a_refusal_has_its_own_reason_and_words(self) -> None:
        world = await with_password()
        world.data_plane.refusal = "email is in use by another account"
        change(world, owner={"email": "new@b.co"})
        await world.reconcile()
        assert condition(world, "Ready") == condition(world, "OwnerReady") == "False OwnerRefused"
        assert said(world) == "data plane: email is in use by another account"
        assert any(one.startswith("Warning OwnerRefused") for one in events(world))
        world.data_plane.refusal = None
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert known(world)["email"] == "new@b.co"

    async def test_a_500_while_the_name_changes_leaves_no_trace(self) -> None:
        world = await with_password()
        world.data_plane.down = True
        change(world, displayName="Acme Limited")
        await world.reconcile()
        assert condition(world, "OwnerReady") == "False WorkloadUnavailable"
        assert known(world) == {"email": "a@b.co", "passwordHashSecret": "signup-1"}
        world.data_plane.down = False
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert world.data_plane.workspace is not None
        assert world.data_plane.workspace.name == "Acme Limited"

    @pytest.mark.parametrize("data", [{}, {"password_hash": ""}, {"other": "eA=="}, None])
    async def test_a_secret_without_a_hash_is_waited_for(self, data: dict[str, str] | None) -> None:
        world = await serving()
        if data is not None:
            world.put({"kind": "Secret", "metadata": {"name": "signup-1", "namespace": "vivero-signups"}, "data": data})
        change(world, owner={"passwordHashSecret": "signup-1"})
        await world.reconcile()
        assert condition(world, "Ready") == "False PasswordSecretMissing"
        password(world)
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"

    @pytest.mark.parametrize("encoded", ["no base64!", "/////w=="])
    async def test_what_is_no_text_is_refused_before_it_is_sent(self, encoded: str) -> None:
        world = await serving()
        data = {"password_hash": encoded}
        world.put({"kind": "Secret", "metadata": {"name": "signup-1", "namespace": "vivero-signups"}, "data": data})
        change(world, owner={"passwordHashSecret": "signup-1"})
        await world.reconcile()
        assert condition(world, "OwnerReady") == "False OwnerRefused"
        assert said(world) == "Secret signup-1 in vivero-signups: password_hash is not an argon2id hash in PHC format"
        assert world.data_plane.owners == []
        assert HELD in world.kube.objects


class TestForgetting:
    async def test_a_status_that_could_not_be_written_keeps_the_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await serving()
        password(world)
        change(world, owner={"passwordHashSecret": "signup-1"})

        async def broken(*_: object, **__: object) -> None:
            raise KubeUnavailableError("kubernetes", "no answer")

        monkeypatch.setattr(world.kube, "patch_status", broken)
        with pytest.raises(KubeUnavailableError):
            await world.reconcile()
        assert HELD in world.kube.objects
        monkeypatch.undo()
        world.restart()
        await world.reconcile()
        assert HELD not in world.kube.objects
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$"}

    async def test_another_one_that_came_in_the_meantime_is_an_order_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = await serving()
        password(world)
        change(world, owner={"passwordHashSecret": "signup-1"})
        real = world.data_plane.put_workspace

        async def slow(*args: Any) -> str | None:  # noqa: ANN401  passes on what it gets
            try:
                return await real(*args)
            finally:
                password(world, content="$argon2id$second")

        monkeypatch.setattr(world.data_plane, "put_workspace", slow)
        assert (await world.reconcile()).retry_after == 1
        assert HELD in world.kube.objects
        monkeypatch.undo()
        await world.reconcile()
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$second"}
        assert HELD not in world.kube.objects

    async def test_of_one_that_goes_first_no_hash_is_left(self) -> None:
        world = await serving()
        world.data_plane.down = True
        password(world)
        change(world, owner={"passwordHashSecret": "signup-1"})
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T12:01:00Z"}})
        await world.reconcile()
        assert HELD not in world.kube.objects


async def test_an_account_that_is_gone_is_said_to_be_gone() -> None:
    """After data was given up the workspace is new, and has no accounts."""
    world = await with_password()
    world.data_plane.accounts.clear()
    change(world, displayName="Acme again")
    await world.reconcile()
    assert known(world) == {"passwordHashSecret": "signup-1"}
    assert condition(world, "OwnerReady") == "True NoPasswordGiven"


class TestAdopted:
    async def test_who_can_log_in_the_data_says(self) -> None:
        world = await serving()
        world.data_plane.accounts = {"first@b.co": "$argon2id$"}
        change(world, displayName="Acme again")
        await world.reconcile()
        assert known(world)["email"] == "first@b.co"
        assert condition(world, "OwnerReady") == "True AccountExists"
        assert (
            said(world) == "first@b.co can log in; a@b.co has no account, because spec.owner has no passwordHashSecret"
        )

    async def test_without_an_account_it_says_so(self) -> None:
        world = await serving()
        assert condition(world, "OwnerReady") == "True NoPasswordGiven"

    async def test_whose_password_was_carried_out_before_keeps_it(self) -> None:
        """The adopting Tenant is the former one's manifest, which still names the Secret that is used up."""
        world = await with_password()
        body(world)["status"] = {}
        world.put(body(world))
        world.restart()
        await world.reconcile()
        await world.reconcile()
        assert known(world) == {"email": "a@b.co", "passwordHashSecret": "signup-1"}
        assert condition(world, "OwnerReady") == "True AccountExists"
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$first"}

    @pytest.mark.parametrize("accounts", [{}, {"first@b.co": "$argon2id$"}])
    async def test_who_has_no_account_yet_waits_for_the_password(self, accounts: dict[str, str | None]) -> None:
        world = await serving()
        world.data_plane.accounts = accounts
        change(world, owner={"email": "a@b.co", "passwordHashSecret": "signup-1"})
        await world.reconcile()
        assert condition(world, "OwnerReady") == "False PasswordSecretMissing"
