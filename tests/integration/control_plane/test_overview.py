"""The console's overview, of a real cluster and database."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import httpx
from integration.control_plane.support import Names, eventually, signup_body
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import DATABASE_SERVER, TENANT_POOL


async def test_it_has_the_servers_the_pools_and_a_tenant_that_just_came(
    staff: httpx.Client, names: Names, kube: KubeClient
) -> None:
    def seen() -> dict[str, int]:
        return staff.get("/api/v1/overview").json()["customers"]["states"]  # type: ignore[no-any-return]  # JSON

    before = sum(seen().values())
    slug = names.new()
    assert staff.post("/api/v1/signups", json=signup_body(slug)).status_code == 202
    eventually(lambda: sum(seen().values()) > before)
    servers = {
        one["metadata"]["name"]: one["spec"].get("capacity", 1000) for one in (await kube.list(DATABASE_SERVER)).items
    }
    pools = {one["metadata"]["name"]: one["spec"]["size"] for one in (await kube.list(TENANT_POOL)).items}
    eventually(lambda: names_of(staff, "servers", "capacity") == servers)
    eventually(lambda: names_of(staff, "pools", "size") == pools)


def names_of(staff: httpx.Client, kind: str, figure: str) -> dict[str, int]:
    return {one["name"]: one[figure] for one in staff.get("/api/v1/overview").json()[kind]}
