"""kopf, set up and run: its watches, our login, none of its writes."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable
from typing import Any, cast

import aiohttp
import kopf
from vivero_core.backends.connections import Connector
from vivero_core.backends.kube.backoff import ConnectionBackoff
from vivero_core.backends.kube.config import KubeConfig
from vivero_core.model.constants import LABEL_PART_OF

from vivero_operator.handlers import dispatch
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.kind import KindSpec

_EXIT_SECONDS = 25.0


class _NoDiffs(kopf.DiffBaseStorage):
    """Event handlers know no old state, yet kopf copies the object of every event to compare it with one: a sixth of our time."""

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:  # noqa: ARG002  kopf's own
        return cast("kopf.BodyEssence", {})

    def fetch(self, *, body: kopf.Body) -> None:  # noqa: ARG002
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        raise NotImplementedError("kopf writes nothing into our objects")


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # events are ours: on transitions only
    settings.peering.standalone = True  # a Lease elects the leader
    settings.scanning.disabled = True  # no watch of all CRDs: ours are there before we start
    settings.process.ultimate_exiting_timeout = _EXIT_SECONDS
    settings.networking.request_timeout = 30
    settings.persistence.diffbase_storage = _NoDiffs()
    return settings


def _login(registry: kopf.OperatorRegistry, config: KubeConfig, backoff: ConnectionBackoff) -> None:
    @kopf.on.login(id="login", registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401  kopf passes what it has
        """Again whenever the API server says that a token is not valid any more: kubelet has renewed the file."""
        headers = {}
        if config.token_file is not None:
            headers["Authorization"] = f"Bearer {config.token_file.read_text().strip()}"
        connector = Connector(ssl=config.tls, limit=0)
        session = aiohttp.ClientSession(connector=connector, headers=headers, trace_configs=[backoff.trace()])
        return kopf.AiohttpSession(server=config.server, aiohttp_session=session)


def _on_signal(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)


async def watch(  # noqa: PLR0913  what it needs, by name
    context: HandlerContext,
    kinds: Iterable[KindSpec[Any]],
    config: KubeConfig,
    backoff: ConnectionBackoff,
    *,
    identity: str,
    stop_watching: asyncio.Event,
    stop: Callable[[], None],
) -> None:
    """Until `stop_watching` is set. Signals go to `stop`, not to kopf: what is under way ends first, then the watches."""
    # Not the default registry, which would look for generated clients to log in with.
    registry, settings = kopf.OperatorRegistry(), _settings()
    _login(registry, config, backoff)
    for spec in kinds:
        dispatch.register(registry, context, spec)
    _register_lease(registry, settings, context)
    before = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings,
        clusterwide=True,
        # Unused without peering, but kopf's own guess needs a user name, and our uid has none.
        identity=cast("Any", identity),
        stop_flag=stop_watching,
    )
    _on_signal(stop)
    await kopf.run_tasks(tasks, ignored=before)


_SELECTOR = f"{LABEL_PART_OF}=vivero"


def _register_lease(registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, context: HandlerContext) -> None:
    settings.watching.label_selectors["coordination.k8s.io", "v1", "leases"] = _SELECTOR

    @kopf.on.event("coordination.k8s.io", "v1", "leases", id="leases", registry=registry)
    async def changed(**_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        context.heartbeat.beat()
