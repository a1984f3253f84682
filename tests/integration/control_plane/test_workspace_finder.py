"""Finding one's workspaces: from the public page to a mail on a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from integration.control_plane.support import DOMAIN, Names, eventually
from vivero_control import composition
from vivero_core.backends.kube.client import KubeClient

OWNER = "Olive.Owner@example.com"


def ask(client: httpx.Client, email: str) -> httpx.Response:
    return client.post("/login/workspaces", data={"email": email}, headers={"sec-fetch-site": "same-origin"})


async def test_the_owner_is_mailed_every_address_and_no_other_is(
    kube: KubeClient,
    names: Names,
    client: httpx.Client,
    infrastructure: composition.Infrastructure,
    drain: Callable[[], Awaitable[None]],
    mails: Callable[[str], list[dict[str, Any]]],
) -> None:
    owner = f"{names.new()}.{OWNER}"
    slugs = sorted(names.new() for _ in range(3))
    for slug in slugs:
        spec = {"displayName": slug, "slug": slug, "plan": "no-such-plan", "owner": {"email": owner}}
        body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": slug}, "spec": spec}
        await kube.create(body)

    def known() -> bool:
        at = [client.get("/", headers={"Host": f"{slug}.{DOMAIN}:8443"}).status_code for slug in slugs]
        return at == [503, 503, 503]

    await asyncio.to_thread(eventually, known)
    stranger = f"{names.new()}@example.com"
    for email in (owner.lower(), stranger):
        assert ask(client, email).status_code == 200
    await drain()

    (mail,) = mails(owner.lower())
    assert [line.strip() for line in mail["text"].splitlines() if "https://" in line] == [
        infrastructure.settings.tenant_url(slug) for slug in slugs
    ]
    (mail,) = mails(stranger)
    assert "No workspace belongs to it" in mail["text"]
    assert "https://" not in mail["text"]
