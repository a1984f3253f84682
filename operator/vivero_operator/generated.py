"""Files that follow from the registry: definitions, and the rights of the operator and of people.

`python -m vivero_operator.generated` writes them from the repository's root; a test compares.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from vivero_core.model.constants import GROUP
from vivero_core.model.crd import definition, to_yaml

from vivero_operator.kinds import KINDS
from vivero_operator.reconcile.kind import KindSpec

Kinds = Iterable[KindSpec[Any]]

_NOTE: Final = "# Generated from {source} by `python -m vivero_operator.generated`. Do not edit.\n"
_REGISTRY: Final = "operator/vivero_operator/kinds.py"
_PEOPLE: Final = """\
# Rights for people, added to Kubernetes' own roles. The resources are cluster-scoped, so a RoleBinding to `view`,
# `edit` or `admin` in a namespace gives nothing of this: it takes a ClusterRoleBinding.
"""
_READ: Final = ["get", "list", "watch"]
_WRITE: Final = ["create", "update", "patch", "delete"]
_SCALE: Final = ["get", "update", "patch"]
_ADDED_TO: Final = {"vivero-view": ("view", "edit", "admin"), "vivero-edit": ("edit", "admin")}
"""Our roles, and those of Kubernetes that they are added to."""


def _rule(resources: Iterable[str], verbs: Iterable[str]) -> dict[str, Any]:
    return {"apiGroups": [GROUP], "resources": list(resources), "verbs": list(verbs)}


def operator_rules(kinds: Kinds) -> list[dict[str, Any]]:
    """What the operator's account may do with each kind, and that it writes each one's status."""
    found = [_rule([spec.plural], [*_READ, *spec.verbs]) for spec in kinds]
    return [*found, _rule([f"{spec.plural}/status" for spec in kinds], ["get", "patch"])]


def people(kinds: Kinds) -> list[dict[str, Any]]:
    """The ClusterRoles for people: view, and edit."""
    edited = [spec for spec in kinds if spec.edited]
    scaled = [f"{spec.plural}/scale" for spec in edited if spec.model.scale]
    rules = {
        "vivero-view": [_rule([spec.plural for spec in kinds], _READ)],
        "vivero-edit": [_rule([spec.plural for spec in edited], _WRITE), *([_rule(scaled, _SCALE)] if scaled else [])],
    }
    return [_role(name, rules[name]) for name in rules]


def _role(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {f"rbac.authorization.k8s.io/aggregate-to-{one}": "true" for one in _ADDED_TO[name]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "vivero", **labels}},
        "rules": rules,
    }


def files(kinds: Kinds = KINDS) -> dict[str, str]:
    """Path from the repository's root -> content."""
    kinds = tuple(kinds)
    found = {}
    for spec in kinds:
        text = _NOTE.format(source="core/vivero_core/model") + to_yaml(definition(spec.model))
        for folder in ("crds", "charts/vivero-crds/templates"):
            found[f"{folder}/{spec.plural}.yaml"] = text
    note = _NOTE.format(source=_REGISTRY)
    # The chart's templates read it: rbac.yaml the rules, admission.yaml what is not deleted while it is in use.
    rights = {
        "rules": operator_rules(kinds),
        "keptWhileUsed": [spec.plural for spec in kinds if spec.users is not None],
    }
    found["charts/vivero-operator/files/kinds.yaml"] = note + to_yaml(rights)
    found["charts/vivero-crds/templates/roles/people.yaml"] = note + _PEOPLE + "---\n".join(map(to_yaml, people(kinds)))
    return found


def main(arguments: list[str]) -> None:
    root = Path(*arguments)
    for name, text in files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
