"""Which erasures are ordered for data that is kept for a while, and which ids were erased."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.kube.resources import of_model
from vivero_core.errors import ViveroError
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION
from vivero_core.model.reading import read
from vivero_core.model.tenant_erasure import TenantErasure

from vivero_operator.escrow.record import Record
from vivero_operator.operations.orders import LEDGER
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)


def name_of(ident: str, uid: str) -> str:
    """Of the TenantErasure that follows the deletion of the Tenant of this uid: the id, and more where it was adopted."""
    own = naming.tenant_id(uid)
    return ident if ident == own else f"{ident}-{own}"


async def schedule(services: Services, name: str, ident: str, at: datetime) -> None:
    """Order the erasure of what is kept until then."""
    if services.cluster.of(TenantErasure).get(name) is not None:
        return
    spec = {"id": ident, "at": at.isoformat(timespec="seconds")}
    manifest = {"apiVersion": API_VERSION, "kind": "TenantErasure", "metadata": {"name": name}, "spec": spec}
    with suppress(KubeAlreadyExistsError):  # its event comes in a moment
        await services.kube.create(manifest)


async def schedule_again(services: Services, records: list[Record]) -> None:
    """The record says until when data is kept: an object that somebody deleted was only the list's entry for it."""
    for one in records:
        if one.retained and one.erase_at is not None and one.owner_uid is not None:
            await schedule(services, name_of(one.id, one.owner_uid), one.id, one.erase_at)


async def recall(services: Services) -> None:
    """Which ids were erased, as TenantErasures say, and the receipts in the backup bucket: those outlive a cluster."""
    for body in (await services.kube.list(of_model(TenantErasure))).items:
        found = read(TenantErasure, body)
        if isinstance(found, TenantErasure) and found.status.erased_at is not None:
            services.erased[found.spec.id] = found.status.erased_at
    if not services.settings.backup_secret:
        return
    try:
        bucket = await services.backends.backup_bucket()
        receipts = await asyncio.to_thread(bucket.list, LEDGER)
    except ViveroError as error:
        logger.warning("reading the receipts of erasures failed, the next sweep tries again: %s", error)
        return
    for key, at in receipts.items():
        ident = key.removeprefix(LEDGER).partition(".")[0]
        services.erased.setdefault(ident, at)
