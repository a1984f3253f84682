"""Two workspaces: what one holds opens nothing of the other."""

import gc
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.clients.cache import Cache
from vivero_data.clients.storage import Storage
from vivero_data.db.database import Database
from vivero_web.errors import UnavailableError, WebError

NewWorkspace = Callable[[], Awaitable[Workspace]]


async def test_tokens_are_for_one_workspace(new_workspace: NewWorkspace) -> None:
    first, second = await new_workspace(), await new_workspace()
    headers = await first.login()
    assert (await second.client.get("/api/v1/me", headers=headers)).status_code == 401
    assert (await second.client.get("/internal/v1/proof", headers=first.operator)).status_code == 401


async def test_a_proof_tries_the_neighbour_in_vain(new_workspace: NewWorkspace) -> None:
    first, second = await new_workspace(), await new_workspace()
    neighbour = {"neighbour": second.settings.env.tenant_id}
    answer = await first.client.get("/internal/v1/proof", params=neighbour, headers=first.operator)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


async def test_a_neighbour_that_is_open_fails_the_proof(new_workspace: NewWorkspace) -> None:
    """Nothing is nearer to an open neighbour than the workspace itself."""
    first = await new_workspace()
    itself = {"neighbour": first.settings.env.tenant_id}
    answer = await first.client.get("/internal/v1/proof", params=itself, headers=first.operator)
    assert answer.status_code == 503
    for name, word in (("database", "schema"), ("storage", "bucket"), ("cache", "keys")):
        assert answer.json()[name]["ok"] is False
        assert word in answer.json()[name]["problem"]


@pytest.mark.parametrize("neighbour", ["", "../../etc", "ABCDEFGHIJ", "a`b", "a" * 11])
async def test_a_neighbour_is_named_by_an_id(new_workspace: NewWorkspace, neighbour: str) -> None:
    first = await new_workspace()
    answer = await first.client.get("/internal/v1/proof", params={"neighbour": neighbour}, headers=first.operator)
    assert answer.status_code in (400, 422)


# asyncmy leaves the transport of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_credentials_are_for_one_workspace(new_workspace: NewWorkspace) -> None:
    first, second = (await new_workspace()).settings, (await new_workspace()).settings
    schema = msgspec.structs.replace(first.database, name=second.database.name)
    with pytest.raises(UnavailableError):
        await Database(schema, first.tls(), 1).open(0.2)

    bucket = Storage(msgspec.structs.replace(first.storage, bucket=second.storage.bucket), first.tls())
    for reach in (bucket.ping, bucket.prove):
        with pytest.raises(WebError):
            await reach()
    bucket.close()

    cache = Cache(msgspec.structs.replace(first.cache, prefix=second.cache.prefix), first.tls())
    with pytest.raises(UnavailableError):
        await cache.prove()
    with pytest.raises(UnavailableError):
        await cache.counts.add("x", 5, ())
    await cache.close()
    gc.collect()
