"""Client of a server's archiver: how far a tenant's part of the log is. Calls its pod, which alone opens the backup bucket."""

import logging
from typing import Final

import aiohttp
from pydantic import TypeAdapter
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import POD
from vivero_core.model import constants as c
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.archiver.configuration import ADMIN_PORT
from vivero_operator.archiver.head import Head
from vivero_operator.manifests import archiver

logger = logging.getLogger(__name__)

_SECONDS: Final = 10.0
_ANSWER_BYTES: Final = 4096
_HEAD: Final = TypeAdapter(Head)


class ArchiverClient:
    """Without state: it is asked once a night for each tenant."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    async def head(self, server: DatabaseServer, tenant: str) -> Head | None:
        """None if the archiver does not say."""
        selector = f"{c.LABEL_NAME}={archiver.LABEL},{c.LABEL_INSTANCE}={server.metadata.uid}"
        pods = (await self._kube.list(POD, self._namespace, label_selector=selector)).items
        addresses = [one["status"]["podIP"] for one in pods if one.get("status", {}).get("podIP")]
        for address in addresses:
            try:
                return await asked(f"http://{address}:{ADMIN_PORT}/tenants/{tenant}")
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                logger.info("the archiver of %s does not say: %s", server.name, type(error).__name__)
        return None


async def asked(url: str) -> Head:
    """Raises ClientError, TimeoutError, and ValueError for what is no answer of ours."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, raise_for_status=True) as answer:
        return _HEAD.validate_json(await answer.content.read(_ANSWER_BYTES))
