"""What a TenantRestore has loaded for a new Tenant, and nobody will have: it was deleted under way, or has failed.

Until a Tenant takes it over, the record of its keys names the restore (escrow/record.py). The sweep looks for such records,
at the operator's start and every hour, and a restore asks for its own when it finds itself deleted.
"""

import logging
from typing import Any

from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, of_model
from vivero_core.errors import BackendError
from vivero_core.model import naming
from vivero_core.model.reading import read
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.escrow.record import Record
from vivero_operator.reconcile import remains
from vivero_operator.reconcile.operation import has_ended
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)


async def erase(services: Services, records: list[Record]) -> None:
    """Erase what of these records nobody will have."""
    marked = [one for one in records if one.restore is not None and one.retained]
    if not marked:
        return
    tenants = await services.kube.list_as(TENANT, remains.speaks_for)
    taken = {ident for _, ident in tenants.items}
    for one in marked:
        try:
            if one.id not in taken and await _is_abandoned(services, one):
                await _erase(services, one)
        except BackendError as error:
            logger.warning("what a deleted TenantRestore has left is erased later: %s", error, extra={"id": one.id})


async def _is_abandoned(services: Services, record: Record) -> bool:
    """Asked of the API server, because a mirror may be stale."""
    if record.owner_uid is None or naming.tenant_id(record.owner_uid) != record.id:
        return False
    try:
        body: dict[str, Any] = await services.kube.get(of_model(TenantRestore), record.restore or "")
    except KubeNotFoundError:
        return True
    found = read(TenantRestore, body)
    if found.metadata.uid != record.owner_uid:
        return True
    return isinstance(found, TenantRestore) and has_ended(found.status)


async def _erase(services: Services, record: Record) -> None:
    """Claimed first: from then on no Tenant can adopt it. Its record goes last, so that whoever is killed does it again."""
    try:
        await services.escrow.claim(record, record.owner_uid or "")
    except KubeConflictError:
        return  # somebody has it by now, or is about to: the next sweep looks again
    await remains.remove(services, record.id)
    logger.info("erased what TenantRestore %s had loaded", record.restore, extra={"id": record.id})
