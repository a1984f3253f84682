from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_core.model import crd
from vivero_operator.generated import files
from vivero_operator.kinds import KINDS
from vivero_operator.reconcile.kind import KindSpec

ROOT = Path(__file__).parents[3]
FILES = {name.removeprefix("crds/"): text for name, text in files().items() if name.startswith("crds/")}


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    if "x-kubernetes-preserve-unknown-fields" in schema:
        return  # what is in it is Kubernetes' own, and described there
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[name])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


@pytest.mark.parametrize("folder", ["crds", "charts/vivero-crds/templates"])
def test_there_are_no_definitions_but_those_of_the_models(folder: str) -> None:
    assert {path.name for path in (ROOT / folder).glob("*.yaml")} == set(FILES)


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
def test_yaml_says_what_the_definition_says(spec: KindSpec[Any]) -> None:
    assert yaml.safe_load(FILES[f"{spec.plural}.yaml"]) == crd.definition(spec.model)


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_field_is_described_and_bounded(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if path == ".metadata":
            continue
        assert "description" in node or path.endswith("[]"), path
        match node["type"]:
            case "string":
                assert {"maxLength", "enum", "format"} & node.keys() or path in {".apiVersion", ".kind"}, path
            case "array":
                assert "maxItems" in node, path
            case "integer":
                assert {"minimum", "maximum", "format"} <= node.keys(), path
            case other:
                assert other in {"object", "boolean"}, path


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_schema_is_structural(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        assert not {"$ref", "$defs", "anyOf", "allOf", "title", "additionalProperties"} & node.keys(), path
        assert node.get("default", 0) is not None, path


def test_uninstalling_the_chart_keeps_them() -> None:
    for text in FILES.values():
        assert yaml.safe_load(text)["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_columns_of_kubectl_get_vt() -> None:
    version = yaml.safe_load(FILES["tenants.yaml"])["spec"]["versions"][0]
    narrow = [one["name"] for one in version["additionalPrinterColumns"] if not one.get("priority")]
    assert narrow == ["Ready", "Status", "Plan", "Trial-Ends", "Version", "Release", "URL", "Age"]
