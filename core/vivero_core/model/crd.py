"""CustomResourceDefinitions from the models: `python -m vivero_core.model.crd <folder>...` writes one file a kind.

Kubernetes wants a structural OpenAPI v3 schema: no references, no unions with null, no titles. The CEL rules and
list types travel in the models' `json_schema_extra`. The output is deterministic; a test compares it with crds/.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vivero_core.model import database_server, plan, release, tenant, tenant_pool
from vivero_core.model.base import Resource
from vivero_core.model.constants import CATEGORY, GROUP, VERSION

Schema = dict[str, Any]

_DROPPED: Final = frozenset({"title", "$defs", "$ref", "anyOf", "allOf", "additionalProperties", "const"})


@dataclass(frozen=True)
class Kind:
    """A custom resource and how kubectl names and prints it."""

    model: type[Resource]
    singular: str
    plural: str
    short: str
    columns: Callable[[], list[dict[str, Any]]]
    scale: dict[str, str] | None = None
    """Paths of the scale subresource, where the kind is something that is scaled."""


_POOL_SCALE: Final = {
    "specReplicasPath": ".spec.size",
    "statusReplicasPath": ".status.spares",
    "labelSelectorPath": ".status.selector",
}
KINDS: Final = (
    Kind(tenant.Tenant, "tenant", tenant.Tenant.plural, "vt", tenant.printer_columns),
    Kind(plan.Plan, "plan", plan.Plan.plural, "vplan", plan.printer_columns),
    Kind(
        database_server.DatabaseServer,
        "databaseserver",
        database_server.DatabaseServer.plural,
        "vdb",
        database_server.printer_columns,
    ),
    Kind(
        tenant_pool.TenantPool,
        "tenantpool",
        tenant_pool.TenantPool.plural,
        "vpool",
        tenant_pool.printer_columns,
        _POOL_SCALE,
    ),
    Kind(release.Release, "release", release.Release.plural, "vrel", release.printer_columns),
)


def _resolved(node: Schema, defs: Schema) -> Schema:
    """`node` with its reference or its union with null replaced by what it stands for; own keys win."""
    if "$ref" in node:
        target = defs[node["$ref"].rpartition("/")[2]]
        return _resolved({**target, **{key: value for key, value in node.items() if key != "$ref"}}, defs)
    if "anyOf" in node:
        (only,) = [one for one in node["anyOf"] if one.get("type") != "null"]
        return _resolved({**only, **{key: value for key, value in node.items() if key != "anyOf"}}, defs)
    return node


def structural(node: Schema, defs: Schema) -> Schema:
    """A JSON schema as pydantic writes it, turned into the structural form that Kubernetes accepts."""
    full = _resolved(node, defs)
    out = {key: value for key, value in full.items() if key not in _DROPPED}
    if out.get("default", 0) in (None, [], ""):
        # Absent says the same; a default would be written into every object.
        del out["default"]
    if out.get("type") == "integer":
        out["format"] = "int64"
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    if "properties" in full:
        out["properties"] = {name: structural(child, defs) for name, child in full["properties"].items()}
    if "items" in full:
        out["items"] = structural(full["items"], defs)
    if isinstance(full.get("additionalProperties"), dict):
        out["additionalProperties"] = structural(full["additionalProperties"], defs)
    return out


def _root_schema(kind: Kind) -> Schema:
    """The schema of a whole resource; metadata is the API server's business."""
    raw = kind.model.model_json_schema(by_alias=True)
    schema = structural(raw, raw.get("$defs", {}))
    properties = schema["properties"]
    properties["metadata"] = {"type": "object"}
    for child in ("spec", "status"):
        # A default for the whole of spec or status would be written into every object.
        properties.get(child, {}).pop("default", None)
    properties["apiVersion"] = {"type": "string", "description": "Version of this schema."}
    properties["kind"] = {"type": "string", "description": "The kind of this object."}
    schema["required"] = ["spec"]
    return schema


def definition(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": kind.columns(),
        "schema": {"openAPIV3Schema": _root_schema(kind)},
        "subresources": {"status": {}} | ({"scale": kind.scale} if kind.scale else {}),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            # Deleting the chart must never delete every tenant.
            "annotations": {"helm.sh/resource-policy": "keep"},
            "labels": {"app.kubernetes.io/part-of": "vivero"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": kind.model.__name__,
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short],
                "categories": [CATEGORY],
            },
            "versions": [version],
        },
    }


def _scalar(value: object) -> str:
    """A YAML scalar; JSON's quoting is valid YAML."""
    return json.dumps(value, ensure_ascii=False)


def to_yaml(value: Any, indent: int = 0) -> str:  # noqa: ANN401  any JSON value
    """Block YAML of a JSON value. Pydantic is this package's only dependency, so there is no YAML library here."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{key}:{_child(child, indent)}" for key, child in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-{_child(child, indent)}" for child in value)
    return f"{pad}{_scalar(value)}\n"


def _child(value: Any, indent: int) -> str:  # noqa: ANN401  any JSON value
    if isinstance(value, dict | list) and value:
        return "\n" + to_yaml(value, indent + 1)
    return f" {_scalar(value)}\n"


def files() -> dict[str, str]:
    """File name -> content, one a kind."""
    note = "# Generated from core/vivero_core/model by `python -m vivero_core.model.crd crds charts/vivero-crds/templates`. Do not edit.\n"
    return {f"{kind.plural}.yaml": note + to_yaml(definition(kind)) for kind in KINDS}


def main(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write("usage: python -m vivero_core.model.crd <folder>...\n")
        return 2
    for folder in map(Path, arguments):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files().items():
            (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
