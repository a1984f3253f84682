"""Charts agree with each other, with their documentation and with the programs. Helm's own checks render them."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_operator.pod_options import PodOptions

ROOT = Path(__file__).parents[3]
CHARTS = ROOT / "charts"
ALL = sorted(file.parent.name for file in CHARTS.glob("*/Chart.yaml"))
PROGRAMS = [name for name in ALL if name != "vivero-crds"]
# Documented as a whole: what is inside is Kubernetes' own, or the price list.
WHOLE = ("podSecurityContext", "securityContext", "affinity", "resources")
SUMMARISED = {"plans": "trial, starter, professional, enterprise"}

Json = dict[str, Any]


def schema(chart: str) -> Json:
    found: Json = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return found


def values(chart: str) -> Json:
    found: Json = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return found


def resolved(part: Json, definitions: Json) -> Json:
    while "$ref" in part or "anyOf" in part:
        options = [option for option in part.get("anyOf", [part]) if option.get("type") != "null"]
        part = definitions[options[0]["$ref"].rpartition("/")[2]] if "$ref" in options[0] else options[0]
    return part


def leaves(part: Json, definitions: Json, path: str = "") -> Iterator[str]:
    """Paths of the values that a person sets, as the schema has them."""
    part = resolved(part, definitions)
    if part.get("additionalProperties") is not False or path.rpartition(".")[2] in WHOLE:
        yield path
        return
    for name, inner in part.get("properties", {}).items():
        if path or name != "global":
            yield from leaves(inner, definitions, f"{path}.{name}".lstrip("."))


def default(chart: str, path: str) -> Any:  # noqa: ANN401  any JSON value
    found: Any = values(chart)
    for name in path.split("."):
        found = found[name]
    return found


def documented(chart: str) -> dict[str, str]:
    """The README's table: value to default."""
    rows = [line.split(" | ") for line in (CHARTS / chart / "README.md").read_text().splitlines()]
    table = {row[0].removeprefix("| ").strip("`"): row[1].strip("`") for row in rows if row[0].startswith("| `")}
    known = set(leaves(schema(chart), schema(chart).get("definitions", {})))
    return {path: text for path, text in table.items() if path in known or "." in path}


@pytest.mark.parametrize("file", ["templates/_pod.tpl", "files/check.py"])
def test_programs_share_one_way(file: str) -> None:
    texts = {(CHARTS / chart / file).read_text() for chart in PROGRAMS}
    assert len(texts) == 1, f"copies of {file} differ: copy the one that you changed to the other charts"


def test_shared_parts_of_the_schemas_are_the_same() -> None:
    every = [schema(chart)["definitions"] for chart in PROGRAMS]
    shared = set.intersection(*map(set, every))
    assert shared >= {"image", "env", "tolerations", "affinity", "spread", "podSecurityContext", "securityContext"}
    assert [name for name in shared if len({json.dumps(one[name]) for one in every}) > 1] == []


@pytest.mark.parametrize("chart", PROGRAMS)
def test_every_value_is_in_the_readme_with_its_default(chart: str) -> None:
    paths = set(leaves(schema(chart), schema(chart)["definitions"]))
    expected = {path: SUMMARISED.get(path) or json.dumps(default(chart, path), ensure_ascii=False) for path in paths}
    assert documented(chart) == expected


@pytest.mark.parametrize("chart", PROGRAMS)
def test_the_schema_knows_every_value(chart: str) -> None:
    assert set(values(chart)) == set(schema(chart)["properties"]) - {"global"}


@pytest.mark.parametrize("chart", PROGRAMS)
def test_every_secret_that_has_to_exist_is_in_the_readme(chart: str) -> None:
    text = (CHARTS / chart / "README.md").read_text()
    named = {value for name, value in strings(values(chart)) if name.lower().endswith(("secret", "configmap"))}
    assert [name for name in named if name and f"`{name}`" not in text] == []


def strings(part: Any, name: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  any JSON value
    if isinstance(part, dict):
        for key, inner in part.items():
            yield from strings(inner, key)
    elif isinstance(part, str):
        yield name, part


LICENCE = "LicenseRef-Vivero-Proprietary"


def test_the_licence_is_there_and_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == LICENCE
    assert project["license-files"] == ["LICENSE"]
    assert (ROOT / "LICENSE").read_text().startswith("Copyright 2026 the Vivero authors. All rights reserved.")


@pytest.mark.parametrize("chart", ALL)
def test_each_says_what_it_needs_and_how_to_go_on(chart: str) -> None:
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert about["kubeVersion"] == ">=1.30.0-0"
    assert about["annotations"]["artifacthub.io/license"] == LICENCE
    assert (CHARTS / chart / "templates/NOTES.txt").is_file()


@pytest.mark.parametrize("chart", PROGRAMS)
def test_each_program_can_be_tested_and_is_rendered_in_four_ways(chart: str) -> None:
    assert list((CHARTS / chart / "templates/tests").glob("*.yaml"))
    names = {file.stem for file in (CHARTS / chart / "ci").glob("*.yaml")}
    assert names >= {"minimal", "everything", "openshift", "digest"}


def test_the_operators_chart_takes_what_its_program_takes() -> None:
    generated = PodOptions.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    own = bare({**generated.pop("$defs"), "PodOptions": generated})
    definitions = schema("vivero-operator")["definitions"]
    assert {name: definitions.get(name) for name in own} == own


def bare(part: Any) -> Any:  # noqa: ANN401  any JSON value
    """Without words and defaults, which the chart has in its values and its README."""
    if isinstance(part, list):
        return [bare(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    return {name: bare(inner) for name, inner in part.items() if name not in {"title", "description", "default"}}


def test_the_charts_defaults_for_tenants_pods_can_be_read() -> None:
    options = PodOptions.model_validate(values("vivero-operator")["dataPlane"]["pod"])
    assert options.pod_security_context is not None
    assert options.pod_security_context.run_as_user == 10001


def roles() -> dict[str, list[Json]]:
    documents = yaml.safe_load_all((CHARTS / "vivero-crds/templates/roles/people.yaml").read_text())
    return {role["metadata"]["name"]: role["rules"] for role in documents}


def granted(rules: list[Json]) -> set[tuple[str, str]]:
    return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def test_every_kind_can_be_viewed() -> None:
    kinds = {yaml.safe_load(file.read_text())["spec"]["names"]["plural"] for file in (ROOT / "crds").glob("*.yaml")}
    granted_kinds = {resource for resource, _ in granted(roles()["vivero-view"])}
    assert kinds <= granted_kinds
    assert {verb for _, verb in granted(roles()["vivero-view"])} == {"get", "list", "watch"}


EDITED = {"tenants", "tenantpools", "tenantbackups", "tenanterasures", "tenantproofs", "tenantrestores"}


def test_editing_is_for_what_people_make_alone() -> None:
    assert {resource.partition("/")[0] for resource, _ in granted(roles()["vivero-edit"])} == EDITED
    assert {group for rules in roles().values() for rule in rules for group in rule["apiGroups"]} == {"vivero.dev"}
