"""Releases: a new one, a pause or a change of pace requeues the rollout."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.release import Release

from vivero_operator.handlers import HandlerContext
from vivero_operator.handlers.dispatch import Watched
from vivero_operator.policies.pause import paused
from vivero_operator.reconcile.controller import Key


def observe(context: HandlerContext, release: Release) -> None:
    context.cluster.releases.put(release)
    wants = release.metadata.generation, release.metadata.deletion_timestamp, paused(release.metadata)
    if context.wants.get(release.metadata.uid) != wants:
        context.wants[release.metadata.uid] = wants
        context.queue.add(Key("Release", release.name))


def forget(context: HandlerContext, metadata: Metadata) -> None:
    context.wants.pop(metadata.uid, None)
    context.cluster.releases.drop(metadata.name, metadata.uid)
    context.queue.add(Key("Release", metadata.name))


WATCHED: Final = Watched("Release", Release, Release.plural, lambda context: context.cluster.releases, observe, forget)
