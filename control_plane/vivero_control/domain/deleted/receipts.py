"""Erasures that are done, in the audit log: what was erased, how much of it, when and by whose order; of nobody by name."""

import hashlib
from typing import Final

from vivero_core.backends.kube.client import KubeClient, Listing, Object
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import of_model
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import FIELD_MANAGER, ConditionType
from vivero_core.model.reading import read
from vivero_core.model.tenant_erasure import TenantErasure

from vivero_control.db.database import Database
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.audit.service import AuditAction, AuditService, ObservedAction

ACTION: Final = "erase"
_SUBJECT: Final = "tenant-id/"


def receipt(body: Object) -> ObservedAction | None:
    """The audit log's entry of an erasure; None while it is not complete, or was called off."""
    found = read(TenantErasure, body)
    if not isinstance(found, TenantErasure) or not is_true(found.status.conditions, ConditionType.COMPLETE):
        return None
    status = found.status
    if status.erased_at is None:
        return None
    copies = () if status.erased_copies is None else (status.erased_copies,)
    detail = {
        "erased": [one.dump() for one in (*status.erased, *copies)],
        "receipt": status.receipt,
        "copies_until": status.copies_until.isoformat() if status.copies_until else None,
        "log_until": status.log_until.isoformat() if status.log_until else None,
    }
    action = AuditAction(
        actor=FIELD_MANAGER,
        action=ACTION,
        subject=f"{_SUBJECT}{found.spec.id}",
        reason=found.spec.ordered_by or f"TenantErasure {found.name}",
        detail=detail,
    )
    return ObservedAction(action, status.erased_at, hashlib.sha256(found.metadata.uid.encode()).hexdigest())


class ErasureWatcher:
    """Watches TenantErasures and logs those that are complete, once each; who managed these tenants is forgotten."""

    def __init__(self, kube: KubeClient, audit: AuditService, database: Database) -> None:
        self._kube = kube
        self._database = database
        self._audit = audit

    async def run(self) -> None:
        """Until cancelled; erasures from before the watch are in the first list."""
        async for news in follow(self._kube, of_model(TenantErasure), receipt):
            receipts = news.items if isinstance(news, Listing) else [news.object]
            found = [one for one in receipts if one is not None]
            if found:
                await self._audit.log_observed(found)
                async with self._database.transaction() as session:
                    erased = [one.action.subject.removeprefix(_SUBJECT) for one in found]
                    await ManagerRepository(session).forget(erased)
