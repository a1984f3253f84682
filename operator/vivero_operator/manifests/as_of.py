"""The objects of a workspace as of a second: in its tenant's namespace, gone with its TenantRestore. Pure.

None bears a tenant's label: what is watched, counted and repaired of a tenant is the live workspace alone.
"""

import base64
import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model import naming
from vivero_core.model.base import Metadata

from vivero_operator.instance import (
    DatabaseAddress,
    Instance,
    Manifest,
    TenantKeys,
    digest,
    metadata,
    owner_reference,
)
from vivero_operator.manifests import copies, ingress, pod_template, secrets
from vivero_operator.manifests.pod_template import Template

NAME: Final = "vivero-as-of"
_KEYS: Final = {
    "database_password": "database.password",
    "cache_password": "cache.password",
    "storage_secret": "storage.secret_key",
    "signing_key": "app.signing_key",
    "file_key": "app.file_key",
    "operator_token": "app.operator_token",
    "storage_access_key": "storage.access_key",
}
"""Where each of the workspace's keys stands in its one Secret."""


@dataclass(frozen=True)
class View:
    """One such workspace."""

    restore: Metadata
    instance: Instance
    """Of the tenant that it shows."""
    host: str

    @property
    def id(self) -> str:
        """Names its bucket and its cache user, and what its tokens are good for."""
        return naming.tenant_id(self.restore.uid)

    @property
    def name(self) -> str:
        """Of all its objects."""
        return name_of(self.restore)

    @property
    def url(self) -> str:
        return self.instance.settings.public_url(self.host)


def name_of(restore: Metadata) -> str:
    return f"as-of-{naming.tenant_id(restore.uid)}"


def secret(view: View, keys: TenantKeys, address: DatabaseAddress) -> Manifest:
    """All that its pod reads of secrets."""
    instance, ident = view.instance, view.instance.id
    schema, audit = naming.as_of_database_names(ident)
    settings, bucket = instance.settings, naming.bucket_name(view.id)
    content = {
        "database.username": naming.viewing_user(ident),
        "database.password": keys.database_password,
        "database.host": address.host,
        "database.port": str(address.port),
        "database.name": schema,
        "database.audit": audit,
        "cache.username": naming.cache_user(view.id),
        "cache.password": keys.cache_password,
        "cache.host": settings.valkey_host,
        "cache.port": str(settings.valkey_port),
        "cache.prefix": naming.cache_prefix(view.id),
        "storage.access_key": keys.storage_access_key or bucket,
        "storage.secret_key": keys.storage_secret,
        "storage.endpoint": settings.s3_endpoint,
        "storage.bucket": bucket,
        "storage.region": settings.s3_region,
        "app.signing_key": keys.signing_key,
        "app.file_key": keys.file_key,
        "app.operator_token": keys.operator_token,
        f"limits.{secrets.LIMITS_FILE}": secrets.limits_content(instance),
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(view), "type": "Opaque", "data": data}


def keys_in(live: Mapping[str, Any]) -> TenantKeys:
    """As `secret` has written them."""
    values = {key: base64.b64decode(value).decode() for key, value in live["data"].items()}
    keys = TenantKeys(**{name: values[key] for name, key in _KEYS.items()})
    # An account's name is no key that the object store has issued.
    return replace(keys, storage_access_key=None) if keys.storage_access_key == values["storage.bucket"] else keys


def deployment(
    view: View, release: Template, as_of: datetime, *, content: Manifest, migrates: bool = False
) -> Manifest:
    """One pod of the same program and size as the tenant's. `content` is its Secret.

    `migrates`: it brings the tables of then to its own revision before it serves, for which its login has to write.
    """
    template = _template(view, release, as_of, content)
    if migrates:
        template["spec"]["initContainers"] = [_migration(template["spec"]["containers"][0])]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(view),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            # As long as the program itself lets a migration take, and then some.
            "progressDeadlineSeconds": 900 if migrates else 300,
            "selector": {"matchLabels": _selector(view)},
            "strategy": {"type": "Recreate"},
            "template": template,
        },
    }


def service(view: View) -> Manifest:
    found = ingress.service(view.instance)
    return {
        **found,
        "metadata": {**_metadata(view), "annotations": view.instance.settings.ingress_service_annotations},
        "spec": {**found["spec"], "selector": _selector(view)},
    }


def route(view: View, of_tenant: Manifest) -> Manifest:
    """`of_tenant`: the route of a workspace's address, of the kind that the platform has, for this host and Service."""
    annotations = {
        key: value for key, value in of_tenant["metadata"].get("annotations", {}).items() if key != c.ANNOTATION_APPLIED
    }
    return {**of_tenant, "metadata": {**_metadata(view), "annotations": annotations}}


def migrates(live: Manifest) -> bool:
    """Whether this Deployment's pod does so."""
    return bool(live["spec"]["template"]["spec"].get("initContainers"))


def _migration(program: Template) -> Template:
    """The same program, which ends once that is done."""
    kept = ("image", "imagePullPolicy", "env", "resources", "securityContext", "volumeMounts")
    return {"name": "migrate", "args": ["migrate"], **{key: program[key] for key in kept if key in program}}


def _template(view: View, release: Template, as_of: datetime, content: Manifest) -> Template:
    template = copy.deepcopy(release)
    meta, spec = template.setdefault("metadata", {}), template["spec"]
    container = spec["containers"][0]
    meta["labels"] = {**meta.get("labels", {}), **_labels(view)}
    meta["annotations"] = {**meta.get("annotations", {}), c.ANNOTATION_CREDENTIALS: digest(content["data"])}
    told = {
        "VIVERO_TENANT_ID": view.id,
        "VIVERO_AS_OF": as_of.isoformat(),
        "VIVERO_PUBLIC_URL": view.url,
    }
    container["env"] = [*container.get("env", ()), *({"name": name, "value": value} for name, value in told.items())]
    container["resources"] = pod_template.resources(view.instance)
    files = [{"key": key, "path": key.replace(".", "/", 1)} for key in content["data"]]
    sources = [
        {"secret": {"name": view.name, "items": files}},
        # No key for tickets: the control plane lets nobody in here.
        {"configMap": {"name": copies.PLATFORM, "items": [{"key": "ca.crt", "path": f"{copies.PLATFORM}/ca.crt"}]}},
    ]
    volume = {"name": pod_template.FILES, "projected": {"defaultMode": 0o440, "sources": sources}}
    spec["volumes"] = [volume if one["name"] == pod_template.FILES else one for one in spec["volumes"]]
    return template


def _selector(view: View) -> dict[str, str]:
    return {c.LABEL_NAME: NAME, c.LABEL_INSTANCE: view.id}


def _labels(view: View) -> dict[str, str]:
    return {**_selector(view), c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER}


def _metadata(view: View) -> dict[str, Any]:
    return {
        "name": view.name,
        "namespace": metadata(view.instance)["namespace"],
        "labels": _labels(view),
        "ownerReferences": [owner_reference("TenantRestore", view.restore)],
    }
