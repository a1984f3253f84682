"""Composition root: wires the operator, starts and stops it in order."""

import asyncio
import faulthandler
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.backoff import ConnectionBackoff
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.errors import BackendUnavailableError
from vivero_core.model.constants import FIELD_MANAGER

from vivero_operator import health, logs, metrics
from vivero_operator.backend_clients import BackendClients, PlatformObjects
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.dns_records import DnsRecords
from vivero_operator.errors import LeadershipLostError
from vivero_operator.escrow.store import EscrowStore
from vivero_operator.handlers import missed_deletions, pods
from vivero_operator.handlers.watch import watch
from vivero_operator.kinds import KINDS
from vivero_operator.leader import Election
from vivero_operator.reconcile import children, routes, unreadable
from vivero_operator.reconcile.backup_retention import BackupRetention
from vivero_operator.reconcile.backup_schedule import BackupSchedules
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext, Orphans, Rollout
from vivero_operator.reconcile.controller import ORPHAN, Controller, Key
from vivero_operator.reconcile.kind import KindSpec, Reconciler
from vivero_operator.reconcile.orphans import OrphanReconciler, Sweep
from vivero_operator.reconcile.polling import Poller, watch_records
from vivero_operator.reconcile.proofs import Proofs
from vivero_operator.reconcile.queue import Rank, WorkQueue
from vivero_operator.reconcile.recorder import Recorder
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.start_limiter import StartLimiter
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.surveys import Surveyor
from vivero_operator.reconcile.tenants_in_service import measured
from vivero_operator.reconcile.waiting_pages import WaitingPages
from vivero_operator.settings import Settings
from vivero_operator.supervision import supervised
from vivero_operator.tracing import SERVICE, tracer_of

logger = logging.getLogger(__name__)

_DEFINITIONS_PAUSE: Final = 2.0
_LISTED_PAUSE: Final = 0.1


STOP_SECONDS: Final = 40
"""Longer than the watches and what is under way take to end."""


def main() -> None:
    """The program; returns after SIGTERM."""
    settings = Settings()
    with logs.reporter_of(settings) as reporter:
        logs.configure(settings.log_level, settings.log_format, SERVICE, reporter)
        _serve_until_stopped(settings)


def _serve_until_stopped(settings: Settings) -> None:
    while True:
        try:
            return asyncio.run(serve(settings, on_stopping=_bound_stopping))
        except LeadershipLostError as error:
            # All again, as after a restart, and not left to kubelet: its pauses between restarts grow to five minutes.
            logger.warning("leadership lost, starting over: %s", error)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _bound_stopping() -> None:
    """A program that does not come to its end says where it waits and exits: kubelet starts it again."""
    faulthandler.dump_traceback_later(STOP_SECONDS, exit=True)


@dataclass(frozen=True)
class Parts:
    """The operator, put together."""

    context: HandlerContext
    controller: Controller
    reconcilers: Mapping[KindSpec[Any], Reconciler]
    watching: KubeClient
    backoff: ConnectionBackoff
    election: Election
    services: Services
    background: dict[str, Callable[[], Awaitable[None]]]
    """What a leader does beside reconciling, by name; each is supervised by itself."""


def assemble(
    services: Services,
    election: Election,
    watching: KubeClient,
    backoff: ConnectionBackoff,
    kinds: Sequence[KindSpec[Any]] = KINDS,
) -> Parts:
    settings, cluster = services.settings, services.cluster
    sweep = Sweep(services, lambda: _tell_of_orphans(services, context))
    context = HandlerContext(
        cluster,
        WorkQueue[Key](),
        ReconcileState(),
        health.Heartbeat(),
        resync_seconds=settings.resync_seconds,
        gone=services.start_limiter.ended,
        pods_changed=services.waiting_pages.mark,
        sweep=sweep.ask,
    )
    reconcilers = {spec: spec.reconciler(services, context) for spec in kinds}
    readable = {
        spec.kind: unreadable.skipping_unreadable(services, spec, one.reconcile) for spec, one in reconcilers.items()
    }
    controller = Controller(
        context.queue,
        {**readable, ORPHAN: OrphanReconciler(services, context.sweep).reconcile},
        concurrency=settings.concurrency,
        resync_seconds=settings.resync_seconds,
    )
    services.backends.recovered = controller.wake
    metrics.WAITING_FOR_TURN.set_function(lambda: services.start_limiter.waiting)
    services.start_limiter.wake = lambda name: context.queue.add(Key("Tenant", name), Rank.AWAITED)
    context.queue.add(Key("Release", services.rollout.current))

    def record_touched(tenant_id: str) -> None:
        services.escrow.forget(tenant_id)
        context.touched(tenant_id, SECRET)

    background: dict[str, Callable[[], Awaitable[None]]] = {
        "surveys": Surveyor(services, context.suspect).run,
        "children": partial(children.watch, watching, context, cluster, routes.of(settings).resource),
        "polling": Poller(watching, context, cluster).run,
        "records": partial(watch_records, watching, record_touched, cluster, settings.platform_namespace),
        "sealing keys": services.escrow.maintain_keys,
        "missed deletions": partial(missed_deletions.run, watching, context, kinds),
        "orphans": sweep.run,
        "replaced routes": routes.ReplacedRoutes(services).run,
        "events": services.recorder.run,
        "backup schedules": BackupSchedules(services).run,
        "backup retention": BackupRetention(services).run,
        "start limiter": services.start_limiter.run,
        "proofs": Proofs(services).run,
        "waiting pages": partial(services.waiting_pages.run, watching, context.pods_listed),
    }
    return Parts(context, controller, reconcilers, watching, backoff, election, services, background)


def _tell_of_orphans(services: Services, context: HandlerContext) -> None:
    """Servers show them in their status, and their addresses are closed."""
    for server in context.cluster.servers:
        context.queue.add(Key("DatabaseServer", server.name))
    for ident in services.orphans.known:
        context.queue.add(Key(ORPHAN, ident))


def _now() -> datetime:
    """To the second, as Kubernetes writes times."""
    return datetime.now(UTC).replace(microsecond=0)


async def serve(settings: Settings, on_stopping: Callable[[], None] = lambda: None) -> None:
    """Until a signal comes: watch, and while leading, reconcile. `on_stopping` is called before it stops.

    Raises:
        LeadershipLostError: another replica leads, or the API server stays away.
    """
    config = kube_config.load()
    async with AsyncExitStack() as stack:
        backoff = ConnectionBackoff()
        # A client of its own for what must never queue behind a thousand reconciles: the Lease, and watches.
        client = partial(
            KubeClient, config, field_manager=FIELD_MANAGER, backoff=backoff, on_answer=metrics.count_request
        )
        calm_kube = await stack.enter_async_context(client())
        election = Election(calm_kube, settings.platform_namespace, settings.lease_name, settings.identity)
        kube = await stack.enter_async_context(client(fence=election.check))
        tracer = tracer_of(settings)
        stack.push_async_callback(asyncio.to_thread, tracer.close)
        data_plane = await stack.enter_async_context(DataPlaneClient())
        backends = BackendClients(settings, PlatformObjects(kube, settings.platform_namespace), election.check)
        stack.callback(backends.close)
        cluster = Cluster()
        services = Services(
            settings=settings,
            kube=kube,
            backends=backends,
            data_plane=data_plane,
            cluster=cluster,
            escrow=EscrowStore(kube, settings.platform_namespace),
            recorder=Recorder(kube, settings.identity, lambda: datetime.now(UTC)),
            rollout=Rollout(settings, cluster),
            start_limiter=StartLimiter(settings.starts_at_once),
            waiting_pages=WaitingPages(kube, cluster, settings, _now),
            orphans=Orphans(),
            dns=DnsRecords(settings.dns_servers),
            now=_now,
            tracer=tracer,
        )
        parts = assemble(services, election, calm_kube, backoff)
        await stack.enter_async_context(
            health.serving(parts.context.heartbeat, settings.admin_host, settings.admin_port)
        )
        await _definitions(kube, parts)
        await _run(parts, config, on_stopping)


async def _definitions(kube: KubeClient, parts: Parts) -> None:
    """Wait for the API server, our kinds and that of the routes: kopf would start without and never look again."""
    awaited = [*(spec.resource for spec in parts.reconcilers), routes.of(parts.services.settings).resource]
    while True:
        try:
            for resource in awaited:
                await kube.list_as(resource, lambda _: None, metadata_only=True)
        except (KubeNotFoundError, BackendUnavailableError) as error:
            logger.warning("waiting for the CustomResourceDefinitions: %s", error)
            parts.context.heartbeat.excuse()
            await asyncio.sleep(_DEFINITIONS_PAUSE)
        else:
            return


async def _run(parts: Parts, config: kube_config.KubeConfig, on_stopping: Callable[[], None]) -> None:
    """Stop in order: no new work, then what is under way, then the Lease, then the watches."""
    stopping, stop_watching = asyncio.Event(), asyncio.Event()
    watches = watch(
        parts.context,
        parts.reconcilers,
        config,
        parts.backoff,
        identity=parts.election.identity,
        stop_watching=stop_watching,
        stop=stopping.set,
    )
    watching = asyncio.create_task(watches, name="watch")
    following = partial(pods.watch, parts.watching, parts.context)
    watching_pods = asyncio.create_task(supervised("pods", following), name="pods")
    working = asyncio.create_task(_lead(parts, stopping), name="lead")
    try:
        await _any_of(stopping, watching, watching_pods, working)
        logger.info("stopping", extra={"because": _ended(watching, watching_pods, working) or ["signal"]})
    finally:
        on_stopping()
        stopping.set()
        await asyncio.wait({working})
        stop_watching.set()
        await _cancel(watching_pods)
        await asyncio.wait({watching})
    _raise_from(working, watching, watching_pods)


async def _lead(parts: Parts, stopping: asyncio.Event) -> None:
    """Wait for leadership, then reconcile until stopped; release the Lease at the end."""
    acquiring = asyncio.create_task(parts.election.acquire(), name="acquire")
    await _any_of(stopping, acquiring)
    if not acquiring.done():
        await _cancel(acquiring)
        return
    _raise_from(acquiring)
    logger.info("became leader", extra={"identity": parts.election.identity})
    with metrics.leading(), measured(parts.services.cluster, parts.context.pods_listed.is_set):
        await _work(parts, stopping)


async def _work(parts: Parts, stopping: asyncio.Event) -> None:
    """As the leader: all tasks, until stopped or until one of them fails."""
    # Only the leader corrects drift, so only it scans; and it compares with what the watches reported.
    tasks = [asyncio.create_task(supervised("controller", partial(_control, parts)), name="controller")]
    for name, work in parts.background.items():
        begin = partial(_once_listed, parts.context.heartbeat, work)
        tasks.append(asyncio.create_task(supervised(name, begin), name=name))
    holding = asyncio.create_task(parts.election.hold(), name="hold")
    await _any_of(stopping, holding, *tasks)
    # Reconciles under way end while the Lease is still ours, if it is.
    for task in reversed(tasks):
        await _cancel(task)
    await _cancel(holding)
    if holding.cancelled():
        await parts.election.release()
    _raise_from(holding, *tasks)


async def _control(parts: Parts) -> None:
    await parts.context.pods_listed.wait()
    for reconciler in parts.reconcilers.values():
        await reconciler.recall()
    await parts.controller.run()


async def _once_listed(heartbeat: health.Heartbeat, work: Callable[[], Awaitable[None]]) -> None:
    """Begin when every kind has been listed; without that liveness fails in the end."""
    while not heartbeat.synced:  # noqa: ASYNC110  a flag of the health endpoint, and a tenth of a second is soon enough
        await asyncio.sleep(_LISTED_PAUSE)
    await work()


async def _any_of(stopping: asyncio.Event, *tasks: "asyncio.Task[None]") -> None:
    """Until one of the tasks ends or `stopping` is set."""
    told = asyncio.create_task(stopping.wait(), name="told to stop")
    await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(told)


async def _cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})


def _ended(*tasks: "asyncio.Task[None]") -> list[str]:
    return [task.get_name() for task in tasks if task.done()]


def _raise_from(*tasks: "asyncio.Task[None]") -> None:
    """The first error of tasks that are over."""
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]
    if errors:
        raise errors[0]
