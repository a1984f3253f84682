"""The status has the public half of the key by which a workspace vouches for its owner, and it follows the signing key."""

import base64

from reconcile.scenes import NAMESPACE, again, body, secret, serving
from vivero_core.account_key import public_half


async def test_the_status_follows_the_signing_key() -> None:
    world = await serving()
    before = body(world)["status"]["accountKey"]
    assert before == public_half(secret(world)["signing_key"])
    live = world.kube.objects["Secret", NAMESPACE, "app"]
    live["data"]["signing_key"] = base64.b64encode(b"1" * 64).decode()
    world.put(live)
    await again(world)
    assert body(world)["status"]["accountKey"] == public_half("1" * 64) != before
