"""The Secret `escrow-<id>`: a tenant's keys, sealed, and what a later Tenant needs to adopt its data. Pure.

It is written before the keys are used on any server, lives as long as the data,
and says by a label that the data outlived its Tenant.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model import naming

from vivero_operator.instance import Instance, TenantKeys

TYPE: Final = "vivero.dev/escrow"
_SEALED: Final = "sealed"
_UNDELETE: Final = "undelete"


def name(ident: str) -> str:
    return f"escrow-{ident}"


@dataclass(frozen=True)
class Record:
    """What is kept of a tenant."""

    id: str
    database_server: str | None
    owner_uid: str | None
    """metadata.uid of the Tenant that has the data, or had it."""
    tenant: str | None
    """Its name, for people."""
    retained: bool
    """Its Tenant was deleted and the data kept."""
    version: str
    """resourceVersion, for conditional writes."""
    keys: TenantKeys | None = field(repr=False)
    """None when they cannot be opened."""
    erase_at: datetime | None = None
    """When it is to be erased; None: it is kept until somebody decides."""
    erasing: str | None = None
    """metadata.uid of the TenantErasure that erases it."""
    restore: str | None = None
    """Name of the TenantRestore that fills it; None once a Tenant has it."""
    undelete: str = field(default="", repr=False)
    """The Tenant that takes the data back, as JSON."""

    def covers(  # noqa: PLR0913  what is written, by name
        self,
        instance: Instance,
        keys: TenantKeys,
        server: str,
        *,
        retained: bool,
        erase_at: datetime | None = None,
        restore: str | None = None,
    ) -> bool:
        """Whether it says all of this already."""
        owner = instance.tenant.metadata
        said = self.keys, self.database_server, self.owner_uid, self.tenant, self.retained, self.erase_at, self.restore
        return said == (keys, server, owner.uid, owner.name, retained, erase_at, restore)


def build(  # noqa: PLR0913  what is written, by name
    instance: Instance,
    server: str,
    *,
    sealed: bytes,
    key: str,
    retained_at: datetime | None,
    erase_at: datetime | None = None,
    restore: str | None = None,
) -> dict[str, Any]:
    """`retained_at`: when the Tenant was deleted, if its data is kept; `erase_at`: until when, if not for ever."""
    labels = {c.LABEL_ESCROW: instance.id, c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER}
    annotations = {
        c.ANNOTATION_TENANT_NAME: instance.tenant.name,
        c.ANNOTATION_TENANT_UID: instance.tenant.metadata.uid,
        c.ANNOTATION_DATABASE_SERVER: server,
        c.ANNOTATION_ESCROW_KEY: key,
    }
    if retained_at is not None:
        labels[c.LABEL_RETAINED] = instance.id
        annotations[c.ANNOTATION_RETAINED_AT] = retained_at.isoformat(timespec="seconds")
    if erase_at is not None:
        annotations[c.ANNOTATION_ERASE_AT] = erase_at.isoformat(timespec="seconds")
    if restore is not None:
        annotations[c.ANNOTATION_RESTORE] = restore
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name(instance.id),
            "namespace": instance.settings.platform_namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "type": TYPE,
        "data": {
            _SEALED: base64.b64encode(sealed).decode(),
            **{key: base64.b64encode(text.encode()).decode() for key, text in _for_people(instance).items()},
        },
    }


def resealed(sealed: bytes, key: str) -> dict[str, Any]:
    """The change of a record whose keys have changed and nothing else: a merge patch."""
    annotations = {c.ANNOTATION_ESCROW_KEY: key}
    return {"metadata": {"annotations": annotations}, "data": {_SEALED: base64.b64encode(sealed).decode()}}


def _for_people(instance: Instance) -> dict[str, str]:
    spec = instance.tenant.spec
    return {
        "database": naming.database_name(instance.id),
        "bucket": naming.bucket_name(instance.id),
        "slug": spec.slug or "",
        "display_name": spec.display_name,
        "plan": spec.plan,
        _UNDELETE: json.dumps(_undelete(instance), ensure_ascii=False),
    }


def _undelete(instance: Instance) -> dict[str, Any]:
    """The Tenant that takes the data back. Deleting it again keeps the data, unless somebody says so once more."""
    spec, trial = instance.tenant.spec, instance.tenant.status.trial_ends_at
    owner = spec.owner.model_copy(update={"password_hash_secret": None}) if spec.owner is not None else None
    kept = {
        "adopt": instance.id,
        "owner": owner,
        "trial_ends_at": (spec.trial_ends_at or trial) if spec.plan == c.PLAN_TRIAL else None,
    }
    gone = dict.fromkeys(("pool", "claimed_at", "accept_data_loss_at", "database_server"))
    wanted = spec.model_copy(update=kept | gone).dump()
    del wanted["deletionPolicy"]
    metadata = {"name": instance.tenant.name}
    return {"apiVersion": c.API_VERSION, "kind": "Tenant", "metadata": metadata, "spec": wanted}


def sealed_in(secret: dict[str, Any]) -> tuple[str, bytes]:
    """(id of the sealing key, sealed keys); empty where someone changed the Secret."""
    key = secret["metadata"].get("annotations", {}).get(c.ANNOTATION_ESCROW_KEY, "")
    try:
        return key, base64.b64decode(secret.get("data", {}).get(_SEALED, ""), validate=True)
    except binascii.Error:
        return key, b""


def _text(secret: dict[str, Any], key: str) -> str:
    """A field for people; empty where someone changed it to what is no text, or an earlier program did not write it."""
    try:
        return base64.b64decode(secret.get("data", {}).get(key, ""), validate=True).decode()
    except ValueError:
        return ""


def _moment(text: str | None) -> datetime | None:
    """None where someone changed it: what has no such moment is kept."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def parse(secret: dict[str, Any], keys: TenantKeys | None) -> Record:
    meta = secret["metadata"]
    annotations = meta.get("annotations", {})
    return Record(
        id=meta["name"].removeprefix(name("")),
        database_server=annotations.get(c.ANNOTATION_DATABASE_SERVER),
        owner_uid=annotations.get(c.ANNOTATION_TENANT_UID),
        tenant=annotations.get(c.ANNOTATION_TENANT_NAME),
        retained=c.LABEL_RETAINED in meta.get("labels", {}),
        version=meta["resourceVersion"],
        keys=keys,
        erase_at=_moment(annotations.get(c.ANNOTATION_ERASE_AT)),
        erasing=annotations.get(c.ANNOTATION_ERASING),
        restore=annotations.get(c.ANNOTATION_RESTORE),
        undelete=_text(secret, _UNDELETE),
    )
