from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_core.model import crd

ROOT = Path(__file__).parents[3]
FILES = crd.files()


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
def test_files_are_what_the_models_say(folder: str) -> None:
    found = {path.name: path.read_text() for path in (ROOT / folder).glob("*.yaml")}
    assert found == FILES


def test_main_writes_them(tmp_path: Path) -> None:
    assert crd.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert {path.name: path.read_text() for path in (tmp_path / "b").iterdir()} == FILES


def test_main_wants_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("kind", crd.KINDS, ids=lambda kind: kind.plural)
def test_yaml_says_what_the_definition_says(kind: crd.Kind) -> None:
    assert yaml.safe_load(FILES[f"{kind.plural}.yaml"]) == crd.definition(kind)


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
