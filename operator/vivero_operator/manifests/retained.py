"""The record of a deleted tenant whose data was kept: what a later Tenant needs to adopt it.

A Secret, because it holds the key of the files at rest: without it the kept bucket could not be read.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model import naming

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest

TYPE: Final = "vivero.dev/retained"


def name(ident: str) -> str:
    return f"retained-{ident}"


@dataclass(frozen=True)
class Record:
    """What is known of a retained tenant."""

    id: str
    database_server: str
    file_key: str = field(repr=False)
    adopted_by: str | None = None
    """metadata.uid of the Tenant that took the data over."""


def _encoded(content: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}


def build(instance: Instance, database_server: str, file_key: str, now: datetime) -> Manifest:
    spec = instance.tenant.spec
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name(instance.id),
            "namespace": instance.settings.platform_namespace,
            "labels": {
                c.LABEL_RETAINED: instance.id,
                c.LABEL_PART_OF: "vivero",
                c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
            },
            "annotations": {
                c.ANNOTATION_TENANT_NAME: instance.tenant.name,
                c.ANNOTATION_DATABASE_SERVER: database_server,
                c.ANNOTATION_RETAINED_AT: now.isoformat(timespec="seconds"),
            },
        },
        "type": TYPE,
        "data": _encoded(
            {
                "file_key": file_key,
                "database": naming.database_name(instance.id),
                "bucket": naming.bucket_name(instance.id),
                "slug": spec.slug or "",
                "display_name": spec.display_name,
                "plan": spec.plan,
            }
        ),
    }


def parse(secret: dict[str, Any]) -> Record:
    """The record in a Secret that `build` made."""
    meta = secret["metadata"]
    annotations = meta.get("annotations", {})
    return Record(
        id=meta["labels"][c.LABEL_RETAINED],
        database_server=annotations[c.ANNOTATION_DATABASE_SERVER],
        file_key=base64.b64decode(secret["data"]["file_key"]).decode(),
        adopted_by=annotations.get(c.ANNOTATION_ADOPTED_BY),
    )
