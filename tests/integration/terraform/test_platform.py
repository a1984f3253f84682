"""The module `platform`, planned, applied and destroyed on the local cluster."""

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from vivero_dev.commands import run
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.names import PLATFORM
from vivero_dev.terraform import Project, TerraformError, find_program
from vivero_operator.kinds import KINDS

pytestmark = pytest.mark.alone  # applies the platform's own objects

ROOT = Path(__file__).resolve().parents[3]
MakeProject = Callable[[], Project]
DEFINITIONS = tuple(f"{spec.plural}.vivero.dev" for spec in KINDS)


def render(helm: Path, chart: str, folder: Path, *options: str) -> None:
    """As the module's README tells people to."""
    run("helm", [helm, "template", chart, ROOT / "charts" / chart, "--skip-tests", f"--output-dir={folder}", *options])


def key(definition: str) -> str:
    return f"apiextensions.k8s.io/v1/CustomResourceDefinition/{definition}"


def test_the_files_are_formatted() -> None:
    checked = subprocess.run(  # noqa: S603  a program from PATH and a folder of ours
        [find_program(), "fmt", "-check", "-recursive", ROOT / "terraform"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_folder_of_manifests_is_planned_applied_mended_and_destroyed(
    new_project: MakeProject, helm: Path, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    name = f"terraform-{uuid.uuid4().hex[:8]}"
    rendered = tmp_path / "rendered"
    render(helm, "vivero-crds", rendered)
    # Not kept by a destroy, and the platform's release has them.
    (rendered / "vivero-crds/templates/roles/people.yaml").unlink()
    (rendered / "own.yaml").write_text(
        f"""
# The namespace comes last in its file, and first to the cluster.
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {name}}}
data:
  text: |
    ---
    three hyphens inside a value are no new document
---
# nothing here but words
---
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
"""
    )
    variables = {"kubeconfig": str(kubeconfig), "manifests_dir": str(rendered), "force_conflicts": True}
    project = new_project()
    project.validate()

    plan = project.plan(variables)
    assert len(plan.create) == len(DEFINITIONS) + 2
    assert not plan.update
    assert not plan.delete
    assert kubectl.get("namespace", name) is None, "a plan changes nothing"

    project.apply(variables)
    try:
        settings = kubectl.get("configmap", "settings", name)
        assert settings is not None
        assert settings["data"]["text"].startswith("---\nthree hyphens")
        assert set(project.output()["objects"]) == {
            *(key(definition) for definition in DEFINITIONS),
            f"v1/ConfigMap/{name}/settings",
            f"v1/Namespace/{name}",
        }
        assert project.plan(variables).empty, "a second run has nothing to do"

        kubectl.run("patch", "configmap", "settings", f"--namespace={name}", '--patch={"data":{"text":"drift"}}')
        assert len(project.plan(variables).update) == 1
        project.apply(variables)
        mended = kubectl.get("configmap", "settings", name)
        assert mended is not None
        assert mended["data"] == settings["data"]
    finally:
        project.destroy(variables)
    assert kubectl.get("namespace", name) is None
    kept = [kubectl.get("customresourcedefinition", definition) for definition in DEFINITIONS]
    assert all(kept), "definitions, and with them every Tenant, outlive a destroy"


def test_what_helm_installed_is_taken_over_without_a_restart(
    new_project: MakeProject, helm: Path, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    rendered = tmp_path / "rendered"
    for release in ("vivero-crds", "vivero-operator", "vivero-control-plane"):
        asked: list[str | Path] = [
            helm,
            "get",
            "values",
            release,
            f"--namespace={PLATFORM}",
            f"--kubeconfig={kubeconfig}",
            "--output=json",
        ]
        values = tmp_path / f"{release}.json"
        values.write_text(run("helm", asked))
        render(helm, release, rendered, f"--namespace={PLATFORM}", f"--values={values}")
    before = {item["metadata"]["name"]: item for item in kubectl.list("deployments", PLATFORM)}
    assert {"vivero-operator", "vivero-control-plane"} <= set(before)

    variables = {"kubeconfig": str(kubeconfig), "manifests_dir": str(rendered), "force_conflicts": True}
    project = new_project()
    project.apply(variables)
    assert project.plan(variables).empty
    after = {item["metadata"]["name"]: item for item in kubectl.list("deployments", PLATFORM)}
    assert {name: item["metadata"]["generation"] for name, item in after.items()} == {
        name: item["metadata"]["generation"] for name, item in before.items()
    }
    assert all(item["status"]["readyReplicas"] == item["spec"]["replicas"] for item in after.values())
    # No destroy: it would end the platform that other tests use.


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\ndata: {}\n", "Secrets do not pass"),
        ("apiVersion: v1\nkind: [broken\n", "yamldecode"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {}\n", "Duplicate object key"),
        (None, "holds no"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_before_anything_is_applied(
    new_project: MakeProject, kubeconfig: Path, tmp_path: Path, content: str | None, said: str
) -> None:
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    if content is not None:
        (rendered / "a.yaml").write_text(content)
        harmless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "harmless", "namespace": "default"}}
        (rendered / "b.yaml").write_text(yaml.safe_dump(harmless))
    with pytest.raises(TerraformError) as caught:
        new_project().plan({"kubeconfig": str(kubeconfig), "manifests_dir": str(rendered)})
    assert said in " ".join(str(caught.value).split())


def test_the_state_holds_no_login(new_project: MakeProject, kubeconfig: Path, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    name = f"terraform-{uuid.uuid4().hex[:8]}"
    (rendered / "a.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    variables = {"kubeconfig": str(kubeconfig), "manifests_dir": str(rendered)}
    project = new_project()
    project.apply(variables)
    try:
        state = (project.folder / "terraform.tfstate").read_text()
    finally:
        project.destroy(variables)
    assert name in state
    assert "PRIVATE KEY" not in state
    assert "client-key-data" not in state
