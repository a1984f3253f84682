"""JSON schemas for kubeconform, made from the running API server's own OpenAPI document.

Its usual source is a web site; the server at hand knows the same kinds, and our
custom resources and Contour's as well.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from vivero_dev.platform.kubectl import Kubectl

REFERENCE = re.compile(r'"#/definitions/([^"]+)"')
# Types that Kubernetes writes as strings and also takes as numbers.
STRING_OR_NUMBER = ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "io.k8s.apimachinery.pkg.api.resource.Quantity")
# The file of a kind, as kubeconform looks it up.
TEMPLATE = "{{.ResourceKind}}{{.KindSuffix}}.json"


def write_schemas(kubectl: Kubectl, folder: Path) -> str:
    """Write one schema a kind into `folder`; returns kubeconform's --schema-location for it."""
    document = json.loads(kubectl.run("get", "--raw", "/openapi/v2"))
    definitions = strict_definitions(document["definitions"])
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            (folder / file_name(kind)).write_text(json.dumps(self_contained(name, definitions)))
    return f"{folder}/{TEMPLATE}"


def write_foreign_schemas(definitions: Iterable[Path], folder: Path) -> None:
    """The same of kinds that the platform's server does not have, from their CustomResourceDefinitions (340 KB one)."""
    for file in definitions:
        spec = yaml.load(file.read_text(), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            kind = {"group": spec["group"], "version": version["name"], "kind": spec["names"]["kind"]}
            (folder / file_name(kind)).write_text(json.dumps(_strict(version["schema"]["openAPIV3Schema"])))


def self_contained(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The definition of that name with all that it refers to; kubeconform follows no reference to another file."""
    needed, waiting = set[str](), {name}
    while waiting:
        needed |= waiting
        text = json.dumps([definitions[found] for found in waiting])
        waiting = set(REFERENCE.findall(text)) - needed
    return {"$ref": f"#/definitions/{name}", "definitions": {found: definitions[found] for found in sorted(needed)}}


def file_name(kind: dict[str, str]) -> str:
    """`deployment-apps-v1.json`, `secret-v1.json`: the group's first label only."""
    group = kind.get("group", "").partition(".")[0]
    parts = [kind["kind"].lower(), *([group] if group else []), kind["version"]]
    return "-".join(parts) + ".json"


def strict_definitions(definitions: dict[str, Any]) -> dict[str, Any]:
    """The same definitions, unknown fields refused, numbers allowed where the server takes them."""
    strict = {name: _strict(schema) for name, schema in definitions.items()}
    for name in STRING_OR_NUMBER:
        strict[name] = {"type": ["string", "number"]}
    return strict


def _strict(schema: Any) -> Any:  # noqa: ANN401  any JSON value
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _by_name(value) if key == "properties" else _strict(value) for key, value in schema.items()}
    if "properties" in found and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        found["type"] = ["string", "number"]
        found.pop("format", None)
    return found


def _by_name(properties: dict[str, Any]) -> dict[str, Any]:
    """Names stand here, not keywords: one of them may itself be `properties`."""
    return {name: _strict(schema) for name, schema in properties.items()}
