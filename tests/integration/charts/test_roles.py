"""The roles for people on the test platform, whose controllers add them to Kubernetes' own."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from vivero_core.model.constants import ANNOTATION_DUMP_AT, ANNOTATION_PAUSED, PLATFORM_NAMESPACE
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root
from vivero_dev.native.tools import program
from vivero_dev.platform.kubectl import Kubectl
from vivero_operator.kinds import KINDS

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")

MayThey = Callable[..., bool]
As = Callable[[str], MayThey]


@pytest.fixture(scope="module")
def kubectl(platform: dict[str, Any]) -> Kubectl:
    return Kubectl(program(cache_root(), "kubectl"), Path(platform["kubeconfig"]))


@pytest.fixture
def holding(kubectl: Kubectl) -> Iterator[As]:
    """Whether a user with this ClusterRole, bound for the whole cluster, may do something."""
    with ExitStack() as bindings:

        def bound(role: str) -> MayThey:
            user = f"person-{uuid.uuid4().hex[:8]}"
            kubectl.run("create", "clusterrolebinding", user, f"--clusterrole={role}", f"--user={user}")
            bindings.callback(kubectl.run, "delete", "clusterrolebinding", user)
            return lambda verb, kind, *options: may(kubectl, user, verb, kind, *options)

        yield bound


def may(kubectl: Kubectl, user: str, verb: str, kind: str, *options: str) -> bool:
    asked = ("auth", "can-i", verb, kind, f"--as={user}", "--all-namespaces", "--quiet", *options)
    try:
        return kubectl.run(*asked) == ""
    except ComponentError:  # can-i says no with its exit status
        return False


@pytest.mark.parametrize("role", ["vivero-view", "view", "edit", "admin"])
def test_who_may_view_sees_everything_of_ours(holding: As, role: str) -> None:
    they_may = holding(role)
    refused = {
        (verb, spec.plural) for spec in KINDS for verb in READ if not they_may(verb, f"{spec.plural}.vivero.dev")
    }
    assert refused == set()


@pytest.mark.parametrize("role", ["vivero-edit", "edit", "admin"])
def test_who_may_edit_changes_what_people_make_alone(holding: As, role: str) -> None:
    they_may = holding(role)
    edited = {"tenants", "tenantpools", "tenantbackups", "tenanterasures", "tenantproofs", "tenantrestores"}
    assert {spec.plural for spec in KINDS if spec.edited} == edited
    for kind in edited:
        assert all(they_may(verb, f"{kind}.vivero.dev") for verb in WRITE)
    assert they_may("patch", "tenantpools.vivero.dev", "--subresource=scale")
    for kind in (spec.plural for spec in KINDS if not spec.edited):
        assert not any(they_may(verb, f"{kind}.vivero.dev") for verb in WRITE)


@pytest.mark.parametrize("role", ["vivero-view", "vivero-edit"])
def test_nothing_else_comes_with_them(holding: As, role: str) -> None:
    they_may = holding(role)
    assert not they_may("get", "secrets")
    assert not they_may("list", "pods")
    assert not they_may("update", "tenants.vivero.dev", "--subresource=status")


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_a_binding_in_a_namespace_gives_nothing_of_cluster_scoped_kinds(kubectl: Kubectl, role: str) -> None:
    user = f"person-{uuid.uuid4().hex[:8]}"
    kubectl.run("create", "rolebinding", user, "--namespace=default", f"--clusterrole={role}", f"--user={user}")
    try:
        assert not may(kubectl, user, "get", "tenants.vivero.dev")
    finally:
        kubectl.run("delete", "rolebinding", user, "--namespace=default")


@pytest.mark.parametrize("kind", ["tenantbackups", "tenantrestores"])
def test_the_control_plane_asks_for_operations_and_neither_changes_nor_deletes_any(holding: As, kind: str) -> None:
    it_may = holding("vivero-control-plane")
    verbs = (*READ, *WRITE, "deletecollection")
    assert {verb for verb in verbs if it_may(verb, f"{kind}.vivero.dev")} == {*READ, "create"}


def test_the_control_plane_asks_for_a_dump_of_the_platform_and_changes_nothing_else_of_its_backup(
    kubectl: Kubectl,
) -> None:
    account = f"system:serviceaccount:{PLATFORM_NAMESPACE}:vivero-control-plane"

    def patch(body: dict[str, Any]) -> str:
        options = (f"--as={account}", "--dry-run=server", "--type=merge", f"--patch={json.dumps(body)}")
        return kubectl.run("patch", "platformbackup", "platform", *options)

    assert "patched" in patch({"metadata": {"annotations": {ANNOTATION_DUMP_AT: "2026-11-29T12:00:00Z"}}})
    for other in ({"spec": {"recoveryKey": "ab" * 32}}, {"metadata": {"annotations": {ANNOTATION_PAUSED: "true"}}}):
        with pytest.raises(ComponentError, match="may ask for a dump"):
            patch(other)


def test_the_control_plane_deletes_no_tenant_but_one_whose_data_is_kept_for_a_while(
    kubectl: Kubectl, tmp_path: Path
) -> None:
    account = f"system:serviceaccount:{PLATFORM_NAMESPACE}:vivero-control-plane"

    def delete(policy: str) -> str:
        """As the control plane, of a paused Tenant that nothing is made for; whether it may is all that is asked."""
        name = f"may-{uuid.uuid4().hex[:8]}"
        metadata = {"name": name, "annotations": {ANNOTATION_PAUSED: "true"}}
        spec = {"displayName": "May", "slug": name, "plan": "starter", "owner": {"email": "may@example.com"}}
        body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": metadata}
        written = tmp_path / f"{name}.json"
        written.write_text(json.dumps(body | {"spec": {**spec, "deletionPolicy": policy}}))
        kubectl.run("create", "-f", str(written))
        try:
            return kubectl.run("delete", "tenant", name, f"--as={account}", "--dry-run=server")
        finally:
            kubectl.run("annotate", "tenant", name, f"{ANNOTATION_PAUSED}-")
            kubectl.run("delete", "tenant", name, "--wait=false")

    assert "deleted" in delete("Delete")
    with pytest.raises(ComponentError, match="kept for the undo window"):
        delete("Retain")
