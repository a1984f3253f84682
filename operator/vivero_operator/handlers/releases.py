"""Releases: a change of pace, a pause or a new one is work for the rollout."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.release import Release

from vivero_operator.handlers import Desk
from vivero_operator.handlers.hearing import Watched
from vivero_operator.policies.pause import paused
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, release: Release) -> None:
    desk.cluster.releases.put(release)
    wants = release.metadata.generation, release.metadata.deletion_timestamp, paused(release.metadata)
    if desk.wants.get(release.metadata.uid) != wants:
        desk.wants[release.metadata.uid] = wants
        desk.queue.add(Key("Release", release.name))


def forget(desk: Desk, metadata: Metadata) -> None:
    desk.wants.pop(metadata.uid, None)
    desk.cluster.releases.drop(metadata.name, metadata.uid)
    desk.queue.add(Key("Release", metadata.name))


WATCHED: Final = Watched("Release", Release, Release.plural, lambda desk: desk.cluster.releases, observe, forget)
