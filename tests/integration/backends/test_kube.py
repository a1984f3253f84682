"""The Kubernetes client on a real API server."""

import asyncio
import socket
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from vivero_core.backends.kube import client as kube_client
from vivero_core.backends.kube.client import Change, KubeClient, Listing, whole
from vivero_core.backends.kube.config import KubeConfig, from_kubeconfig
from vivero_core.backends.kube.errors import (
    Cause,
    KubeAlreadyExistsError,
    KubeConflictError,
    KubeInvalidError,
    KubeNotFoundError,
    KubeRefusedError,
    KubeUnauthorizedError,
    KubeUnavailableError,
)
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET

UNKNOWN_UID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def config(platform: dict[str, Any]) -> KubeConfig:
    return from_kubeconfig(Path(platform["kubeconfig"]))


@pytest_asyncio.fixture
async def client(config: KubeConfig) -> AsyncIterator[KubeClient]:
    async with KubeClient(config, field_manager="vivero-test") as client:
        yield client


@pytest_asyncio.fixture
async def namespace(client: KubeClient) -> AsyncIterator[str]:
    name = f"backends-{uuid.uuid4().hex[:10]}"
    made = await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACE, name, uid=made["metadata"]["uid"])


def config_map(namespace: str, data: dict[str, str], name: str = "c", **metadata: object) -> dict[str, Any]:
    identity = {"name": name, "namespace": namespace, "labels": {"part": "test"}} | metadata
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": identity, "data": data}


async def test_the_server_says_its_version(client: KubeClient) -> None:
    assert (await client.version()).startswith("v1.")


async def test_an_apply_that_changes_nothing_writes_nothing(client: KubeClient, namespace: str) -> None:
    first = await client.apply(config_map(namespace, {"a": "1"}))
    second = await client.apply(config_map(namespace, {"a": "1"}))
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    "text",
    [
        "\N{GRINNING FACE} Caf\xe9 \N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH JOINER}",
        "\x7f\x80\x85\x9f\xa0\u2028\u2029\ufeff\ufffd",
        "\\ud83d\\ude00 \\n %s {{}} # : - ' \" `",
        "".join(map(chr, range(32))),
        "\U0010fffd\U00010000",
    ],
)
async def test_any_text_arrives_as_it_was(client: KubeClient, namespace: str, text: str) -> None:
    await client.apply(config_map(namespace, {"text": text}))
    assert (await client.get(CONFIG_MAP, "c", namespace))["data"] == {"text": text}
    await client.create(config_map(namespace, {"text": text}, name="created"))
    assert (await client.get(CONFIG_MAP, "created", namespace))["data"] == {"text": text}


async def test_half_a_sign_is_invalid(client: KubeClient, namespace: str) -> None:
    with pytest.raises(KubeInvalidError):
        await client.apply(config_map(namespace, {"text": "\ud83d"}))


async def test_an_apply_takes_back_what_it_no_longer_says(client: KubeClient, namespace: str) -> None:
    await client.apply(config_map(namespace, {"a": "1", "b": "2"}))
    await client.patch(CONFIG_MAP, "c", {"data": {"theirs": "3"}}, namespace)
    kept = await client.apply(config_map(namespace, {"a": "1"}))
    assert kept["data"] == {"a": "1", "theirs": "3"}, "a merge patch of ours counts as ours only where we applied"


async def test_an_apply_to_another_object_of_that_name_is_a_conflict(client: KubeClient, namespace: str) -> None:
    await client.apply(config_map(namespace, {"a": "1"}))
    with pytest.raises(KubeConflictError):
        await client.apply(config_map(namespace, {"a": "2"}, uid=UNKNOWN_UID))
    with pytest.raises(KubeConflictError):
        await client.apply(config_map(namespace, {"a": "2"}, name="absent", uid=UNKNOWN_UID))
    assert (await client.get(CONFIG_MAP, "c", namespace))["data"] == {"a": "1"}


async def test_without_force_anothers_field_is_a_conflict(
    client: KubeClient, config: KubeConfig, namespace: str
) -> None:
    await client.apply(config_map(namespace, {"a": "1"}))
    async with KubeClient(config, field_manager="somebody-else") as other:
        with pytest.raises(KubeConflictError):
            await other.apply(config_map(namespace, {"a": "2"}), force=False)
        assert (await other.apply(config_map(namespace, {"a": "2"})))["data"] == {"a": "2"}


async def test_a_delete_wants_the_very_object(client: KubeClient, namespace: str) -> None:
    made = await client.create(config_map(namespace, {"a": "1"}))
    with pytest.raises(KubeConflictError):
        await client.delete(CONFIG_MAP, "c", namespace, uid=UNKNOWN_UID)
    await client.delete(CONFIG_MAP, "c", namespace, uid=made["metadata"]["uid"])
    for gone in (
        client.delete(CONFIG_MAP, "c", namespace, uid=made["metadata"]["uid"]),
        client.get(CONFIG_MAP, "c", namespace),
        client.patch(CONFIG_MAP, "c", {"data": {}}, namespace),
    ):
        with pytest.raises(KubeNotFoundError):
            await gone


async def test_a_create_meets_a_taken_name(client: KubeClient, namespace: str) -> None:
    await client.create(config_map(namespace, {}))
    with pytest.raises(KubeAlreadyExistsError):
        await client.create(config_map(namespace, {}))


async def test_a_replace_wants_the_current_version(client: KubeClient, namespace: str) -> None:
    made = await client.create(config_map(namespace, {"a": "1"}))
    await client.replace(made | {"data": {"a": "2"}})
    with pytest.raises(KubeConflictError):
        await client.replace(made | {"data": {"a": "3"}})


async def test_a_status_is_merged_for_the_very_object(client: KubeClient, namespace: str) -> None:
    made = await client.get(NAMESPACE, namespace)
    condition = {"type": "Tested", "status": "True", "reason": "Test", "message": "", "lastTransitionTime": None}
    patched = await client.patch_status(NAMESPACE, namespace, {"conditions": [condition]}, uid=made["metadata"]["uid"])
    assert [found["type"] for found in patched["status"]["conditions"]] == ["Tested"]
    with pytest.raises(KubeConflictError):
        await client.patch_status(NAMESPACE, namespace, {"conditions": []}, uid=UNKNOWN_UID)


async def test_json_patches_test_before_they_write(client: KubeClient, namespace: str) -> None:
    await client.create(config_map(namespace, {"a": "1"}))
    write = {"op": "replace", "path": "/data/a", "value": "2"}
    patched = await client.patch(CONFIG_MAP, "c", [{"op": "test", "path": "/data/a", "value": "1"}, write], namespace)
    assert patched["data"] == {"a": "2"}
    with pytest.raises(KubeInvalidError):
        await client.patch(CONFIG_MAP, "c", [{"op": "test", "path": "/data/a", "value": "1"}, write], namespace)


async def test_lists_are_whole_and_know_their_kind(
    client: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube_client, "PAGE", 2)
    for number in range(5):
        await client.create(config_map(namespace, {}, name=f"c{number}"))
    listing = await client.list(CONFIG_MAP, namespace, label_selector="part=test")
    assert [item["metadata"]["name"] for item in listing.items] == [f"c{number}" for number in range(5)]
    assert {(item["apiVersion"], item["kind"]) for item in listing.items} == {("v1", "ConfigMap")}
    assert (await client.list(SECRET, namespace)).items == []
    assert (await client.list(DEPLOYMENT, "no-such-namespace")).items == []


async def test_an_object_that_breaks_its_schema_is_invalid(client: KubeClient, namespace: str) -> None:
    broken = config_map(namespace, {"a": "1"}, name="Not A Name")
    with pytest.raises(KubeInvalidError):
        await client.create(broken)


def tenant(**spec: object) -> dict[str, Any]:
    """One that the rules of its definition refuse, whatever else is in `spec`: it can never come to be."""
    wanted = {"displayName": "Acme", "slug": "A--b", "plan": "trial", "owner": {"email": "a@b.co"}}
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": "refused"},
        "spec": wanted | spec,
    }


@pytest.mark.parametrize("how", ["create", "apply"])
async def test_a_refusal_says_which_field_and_the_whole_sentence(client: KubeClient, how: str) -> None:
    slug = "slug must be 3 to 40 lower-case letters, digits and single hyphens, from a letter to a letter or digit"
    trial = "trialEndsAt is allowed only on plan trial; remove it when you change the plan"
    wrong = tenant(plan="starter", trialEndsAt="2030-01-01T00:00:00Z")
    with pytest.raises(KubeInvalidError) as caught:
        await getattr(client, how)(wrong)
    assert set(caught.value.causes) == {Cause("spec.slug", slug), Cause("spec", trial)}


async def test_a_remark_of_the_server_is_no_cause(client: KubeClient) -> None:
    with pytest.raises(KubeInvalidError) as caught:
        await client.create(tenant(deletionPolicy="Never"))
    assert [cause.field for cause in caught.value.causes] == ["spec.deletionPolicy"]
    assert caught.value.causes[0].message.endswith('supported values: "Retain", "Delete"')


async def test_an_apply_of_the_wrong_type_is_refused_not_retried(client: KubeClient) -> None:
    with pytest.raises(KubeInvalidError, match="expected string"):
        await client.apply(tenant(slug=5))


@pytest_asyncio.fixture
async def policy(client: KubeClient, namespace: str) -> AsyncIterator[str]:
    """An admission policy on ConfigMaps of the test's namespace; its sentence."""
    sentence = 'a ConfigMap here has to say a: "2", and nothing else'
    meta, group = {"name": namespace}, "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.data == {'a': '2'}", "message": sentence}],
    }
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding = {"policyName": namespace, "validationActions": ["Deny"], "matchResources": here}
    made = [
        await client._request("POST", f"/apis/{group}/{plural}", {"apiVersion": group, "kind": kind, **body})  # noqa: SLF001  kinds that no program of ours handles
        for plural, kind, body in (
            ("validatingadmissionpolicies", "ValidatingAdmissionPolicy", {"metadata": meta, "spec": spec}),
            (
                "validatingadmissionpolicybindings",
                "ValidatingAdmissionPolicyBinding",
                {"metadata": meta, "spec": binding},
            ),
        )
    ]
    yield sentence
    for body in made:
        plural = "validatingadmissionpolic" + ("ybindings" if body["kind"].endswith("Binding") else "ies")
        await client._request("DELETE", f"/apis/{group}/{plural}/{namespace}")  # noqa: SLF001


async def refusal(client: KubeClient, namespace: str) -> KubeRefusedError:
    """Of a ConfigMap, as soon as the server has compiled the policy."""
    for attempt in range(60):
        try:
            await client.create(config_map(namespace, {"a": "1"}, name=f"c{attempt}"))
        except KubeRefusedError as error:
            return error
        await asyncio.sleep(0.5)
    pytest.fail("the policy never refused anything")


async def test_an_admission_policy_says_its_whole_sentence(client: KubeClient, namespace: str, policy: str) -> None:
    assert (await refusal(client, namespace)).causes == (Cause("", policy),)


async def test_a_watch_shows_each_change_and_ends(
    client: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube_client, "WATCH_SECONDS", 1)
    before = (await client.list(CONFIG_MAP, namespace, label_selector="part=test")).resource_version
    made = await client.apply(config_map(namespace, {"big": "x" * 200_000}))
    await client.apply(config_map(namespace, {"a": "2"}))
    await client.delete(CONFIG_MAP, "c", namespace, uid=made["metadata"]["uid"])
    changes = [
        change.type
        async for change in client.watch(CONFIG_MAP, before, namespace, label_selector="part=test")
        if change.type != "BOOKMARK"
    ]
    assert changes == ["ADDED", "MODIFIED", "DELETED"]


async def test_following_lists_then_shows_changes(client: KubeClient, namespace: str) -> None:
    await client.apply(config_map(namespace, {"a": "1"}))
    stream = follow(client, CONFIG_MAP, whole, namespace, label_selector="part=test")
    async with asyncio.timeout(10):
        listing = await anext(stream)
        assert isinstance(listing, Listing)
        assert [item["data"] for item in listing.items] == [{"a": "1"}]
        await client.apply(config_map(namespace, {"a": "2"}))
        change = await anext(stream)
    assert isinstance(change, Change)
    assert change.object["data"] == {"a": "2"}
    await stream.aclose()


async def test_a_wrong_login_and_an_absent_server_are_told_apart(config: KubeConfig, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("not-a-token")
    stranger = KubeConfig(config.server, without_certificate(config), token_file=tmp_path / "token")
    async with KubeClient(stranger, field_manager="x") as client:
        with pytest.raises(KubeUnauthorizedError):
            await client.list(SECRET)
    async with KubeClient(KubeConfig("https://127.0.0.1:1", config.tls), field_manager="x") as client:
        with pytest.raises(KubeUnavailableError):
            await client.version()


def without_certificate(config: KubeConfig) -> ssl.SSLContext:
    """The same trust, and no login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(
        cadata="".join(ssl.DER_cert_to_PEM_cert(der) for der in config.tls.get_ca_certs(binary_form=True))
    )
    return context


async def test_a_server_that_does_not_answer_is_unavailable(config: KubeConfig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes the connection, nobody reads it
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        async with KubeClient(KubeConfig(url, config.tls), field_manager="x", timeout=0.3) as client:
            with pytest.raises(KubeUnavailableError, match="Timeout"):
                await client.version()
