"""Waits until every one of many objects has come to where it is wanted."""

from collections.abc import Callable

from vivero_core.backends.kube.client import KubeClient, Listing, Object
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource


async def until_all(
    kube: KubeClient,
    kind: Resource,
    wanted: set[str],
    arrived: Callable[[Object], str | None],
    *,
    label_selector: str | None = None,
) -> None:
    """Returns when `arrived` has named each of those that are wanted; it gets every object, and says None for others."""
    missing = set(wanted)
    async for news in follow(kube, kind, arrived, label_selector=label_selector):
        missing.difference_update(news.items if isinstance(news, Listing) else [news.object])
        if not missing:
            return


def name_with(condition: str) -> Callable[[Object], str | None]:
    """The name of an object that has this condition."""

    def arrived(item: Object) -> str | None:
        conditions = item.get("status", {}).get("conditions") or ()  # null at first
        holds = any(one["type"] == condition and one["status"] == "True" for one in conditions)
        return str(item["metadata"]["name"]) if holds else None

    return arrived
