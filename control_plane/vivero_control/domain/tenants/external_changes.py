"""External changes of Tenants, by kubectl, GitOps or scripts, in the audit log beside our own.

`managedFields` says who last wrote which fields, and when. A client chooses its name itself, and only its last write is
kept: this says what happened, and is no proof of who it was.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from vivero_core.backends.kube.client import KubeClient, Listing, Object
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.constants import FIELD_MANAGER as OPERATOR

from vivero_control.domain.audit.service import AuditAction, AuditService, ObservedAction
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.tenants.repository import MANAGER

ACTION: Final = "change-in-cluster"
_OURS: Final = frozenset({MANAGER, OPERATOR})


@dataclass(frozen=True, slots=True)
class ExternalChange:
    """The last write of one writer to the spec of one Tenant.

    Attributes:
        manager: what the writer calls itself, for example `kubectl-edit`.
        operation: Apply or Update.
        fields: the fields of the spec that are its own since then.
    """

    tenant: str
    uid: str
    manager: str
    operation: str
    at: datetime
    fields: tuple[str, ...]


def external_changes(body: Object) -> list[ExternalChange]:
    """From an object's metadata alone."""
    metadata = body["metadata"]
    return [
        ExternalChange(
            tenant=metadata["name"],
            uid=metadata["uid"],
            manager=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            at=datetime.fromisoformat(entry["time"]),
            fields=tuple(sorted(one.removeprefix("f:") for one in spec if one.startswith("f:"))),
        )
        for entry in metadata.get("managedFields", ())
        if entry.get("manager") not in _OURS
        and "subresource" not in entry
        and "time" in entry
        and (spec := entry.get("fieldsV1", {}).get("f:spec"))
    ]


def observed(change: ExternalChange) -> ObservedAction:
    """The audit log's entry; the same write has the same source."""
    source = f"{change.uid}\n{change.manager}\n{change.operation}\n{change.at.isoformat()}"
    detail = {"operation": change.operation, "fields": list(change.fields)}
    wrote = f"Wrote {', '.join(change.fields)}."
    return ObservedAction(
        action=AuditAction(
            actor=change.manager, action=ACTION, subject=tenant_subject(change.tenant), reason=wrote, detail=detail
        ),
        at=change.at,
        source=hashlib.sha256(source.encode()).hexdigest(),
    )


class ExternalChangeWatcher:
    """Watches all Tenants' metadata and logs what others wrote."""

    def __init__(self, kube: KubeClient, audit: AuditService) -> None:
        self._kube = kube
        self._audit = audit

    async def run(self) -> None:
        """Until cancelled; changes from before the watch are in the first list."""
        async for news in follow(self._kube, TENANT, external_changes, metadata_only=True):
            changes = chain.from_iterable(news.items) if isinstance(news, Listing) else news.object
            await self._audit.log_observed([observed(one) for one in changes])
