"""CustomResourceDefinitions from the models; `python -m vivero_operator.generated` writes them for all kinds.

Kubernetes wants a structural OpenAPI v3 schema: no references, no unions with null, no titles. The CEL rules and
list types travel in the models' `json_schema_extra`. The output is deterministic; a test compares it with crds/.
"""

import json
from typing import Any, Final

from vivero_core.model.base import Resource
from vivero_core.model.constants import CATEGORY, GROUP, VERSION

Schema = dict[str, Any]

_DROPPED: Final = frozenset({"title", "$defs", "$ref", "anyOf", "allOf", "additionalProperties", "const"})


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


def _root_schema(model: type[Resource]) -> Schema:
    """The schema of a whole resource; metadata is the API server's business."""
    raw = model.model_json_schema(by_alias=True)
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


def definition(model: type[Resource]) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": model.printer_columns(),
        "schema": {"openAPIV3Schema": _root_schema(model)},
        "subresources": {"status": {}} | ({"scale": model.scale} if model.scale else {}),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{model.plural}.{GROUP}",
            # Deleting the chart must never delete every tenant.
            "annotations": {"helm.sh/resource-policy": "keep"},
            "labels": {"app.kubernetes.io/part-of": "vivero"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": model.__name__,
                "plural": model.plural,
                "singular": model.__name__.lower(),
                "shortNames": [model.short],
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
