"""The API server refuses what is no Tenant, with a sentence a person understands."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.operator.live import manifest
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeInvalidError
from vivero_core.backends.kube.resources import TENANT, Resource, of_model
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.kinds import KINDS as REGISTERED

KINDS = {one.kind: one.model for one in REGISTERED}
SUSPENDED = {"reason": "Boredom"}
BAD = [
    ({"slug": "www"}, "this slug is reserved"),
    ({"slug": "a--b"}, "slug must be 3 to 40 lower-case letters"),
    ({"slug": "Acme"}, "slug must be 3 to 40 lower-case letters"),
    ({"slug": "`x`; DROP"}, "slug must be 3 to 40 lower-case letters"),
    ({"slug": "../../etc"}, "slug must be 3 to 40 lower-case letters"),
    ({"slug": "x" * 41}, "spec.slug"),
    ({"displayName": ""}, "spec.displayName"),
    ({"displayName": "x" * 81}, "spec.displayName"),
    ({"displayName": "a\u202eb"}, "invisible formatting characters"),
    ({"displayName": " a"}, "must not start or end with a space"),
    ({"displayName": "a\nb"}, "control or invisible"),
    ({"owner": {"email": "nobody"}}, "owner.email must be a mail address"),
    ({"owner": {"email": "a@b.co", "passwordHashSecret": "../x"}}, "spec.owner.passwordHashSecret"),
    ({"owner": None}, "slug and owner go together"),
    ({"slug": None}, "slug and owner go together"),
    ({"slug": None, "owner": None}, "only a spare of a pool has none"),
    ({"claimedAt": "2026-11-22T00:00:00Z"}, "claimedAt is only for a spare that was claimed"),
    ({"plan": "Gold Plan"}, "spec.plan"),
    ({"plan": "starter", "trialEndsAt": "2026-12-22T00:00:00Z"}, "trialEndsAt is allowed only on plan trial"),
    ({"trialEndsAt": "soon"}, "spec.trialEndsAt"),
    ({"hosts": ["UPPER.example.com"]}, "hosts must be lower-case DNS names"),
    ({"hosts": ["10.0.0.1"]}, "hosts must be lower-case DNS names"),
    ({"hosts": ["*.example.com"]}, "hosts must be lower-case DNS names"),
    ({"hosts": ["a.example.com"] * 2}, "Duplicate value"),
    ({"hosts": [f"h{n}.example.com" for n in range(11)]}, "spec.hosts"),
    ({"suspended": SUSPENDED}, 'supported values: "TrialEnded", "Unpaid", "SubscriptionPaused", "Abuse", "Manual"'),
    ({"deletionPolicy": "Burn"}, 'supported values: "Retain", "Delete"'),
    ({"adopt": "short"}, "spec.adopt"),
    ({"acceptDataLossAt": "2026-11-22T00:00:00+99:00"}, "spec.acceptDataLossAt"),
    ({"trialEndsAt": "9999-12-31T23:59:59Z"}, "spec.trialEndsAt"),
    ({"hostCertificates": [{"host": "a.example.com", "secretName": "a"}]}, "may name only hosts that are in hosts"),
    ({"backup": {"schedule": "@daily"}}, "backup.schedule must be a cron expression of five fields in UTC"),
    ({"backup": {"schedule": "0 24 * * *"}}, "backup.schedule must be a cron expression"),
    ({"backup": {"schedule": "0 0 * * * *"}}, "backup.schedule must be a cron expression"),
    ({"backup": {"schedule": "0 0 * *\n*"}}, "backup.schedule must be a cron expression"),
    ({"backup": {"schedule": "1" * 101}}, "spec.backup.schedule"),
    ({"backup": {"keep": {"daily": 7}}}, "spec.backup.schedule"),
    ({"backup": {"schedule": "0 2 * * *", "keep": {}}}, "backup.keep must keep at least one backup"),
    ({"backup": {"schedule": "0 2 * * *", "keep": {"weekly": -1}}}, "spec.backup.keep.weekly"),
    ({"limits": {"users": 0}}, "spec.limits.users"),
    ({"limits": {"records": -1}}, "spec.limits.records"),
    ({"limits": {"storageBytes": 2**63}}, "spec.limits.storageBytes"),
    ({"limits": {"requestsPerMinute": 0}}, "spec.limits.requestsPerMinute"),
    ({"limits": {"users": "many"}}, "spec.limits.users"),
]
GOOD: list[dict[str, Any]] = [
    {},
    {"displayName": "Zoë Müller & Söhne 🎉 株式会社"},
    {"displayName": "Robert'); DROP TABLE tenants;-- `_%*"},
    {"trialEndsAt": "2026-12-22T00:00:00Z"},
    {"hosts": ["app.example.com"], "suspended": {"reason": "Manual"}},
    {"backup": {"schedule": "*/15 0-6/2 1,15 jan-MAR mon,SUN"}},
    {"backup": {"schedule": "0 2 * * *", "keep": {"monthly": 1}}},
    {"limits": {"records": 0, "users": 1, "storageBytes": 0, "requestsPerMinute": 1}},
    {"slug": None, "owner": None, "pool": "nobodys"},
    {"pool": "nobodys", "claimedAt": "2026-11-22T00:00:00Z"},
]
CHANGES = [
    ({"slug": None, "owner": None}, "cannot be taken away again"),
    ({"pool": "trial"}, "pool can be given only when the Tenant is created"),
    ({"slug": "other"}, "slug cannot be changed once it is set"),
    ({"adopt": "abcdefghij"}, "adopt can be given only when the Tenant is created"),
    ({"databaseServer": "elsewhere"}, "databaseServer cannot be changed: the tenant's data is already on another"),
    ({"hostCertificates": [{"host": "a.example.com", "secretName": "a"}]}, "may name only hosts that are in hosts"),
    ({"plan": "starter"}, "trialEndsAt is allowed only on plan trial"),
]
NOT_STARTED = "admission-test"


@pytest.fixture
async def kube(platform: dict[str, Any]) -> AsyncIterator[KubeClient]:
    config = kube_config.load(Path(platform["kubeconfig"]))
    async with KubeClient(config, field_manager="operator-tests") as client:
        yield client


async def dry_run(kube: KubeClient, body: dict[str, Any], kind: Resource = TENANT) -> None:
    await kube._request("POST", kind.path(), body, query={"dryRun": "All"})  # noqa: SLF001  no one but a test wants a dry run


@pytest.mark.parametrize(("spec", "sentence"), BAD)
async def test_refused(kube: KubeClient, spec: dict[str, Any], sentence: str) -> None:
    body = manifest("admission", **spec)
    body["spec"] = {key: value for key, value in body["spec"].items() if value is not None}
    with pytest.raises(KubeInvalidError) as refusal:
        await dry_run(kube, body)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("spec", GOOD)
async def test_accepted(kube: KubeClient, spec: dict[str, Any]) -> None:
    await dry_run(kube, manifest("admission", **spec))


async def test_a_long_name_is_refused(kube: KubeClient) -> None:
    with pytest.raises(KubeInvalidError, match="at most 63 characters"):
        await dry_run(kube, manifest("a" * 64, slug="admission"))


def restore(target: dict[str, Any], **of: str) -> dict[str, Any]:
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantRestore",
        "metadata": {"name": "admission"},
        "spec": {"tenant": "acme", "target": target, **of},
    }


@pytest.mark.parametrize(
    "body",
    [
        restore({"inPlace": True}, time="2026-11-28T14:05:00Z"),
        restore({"inPlace": True}, backup="nightly"),
        restore({"tenant": "again", "slug": "again"}),
        restore({"asOf": {}}),
        restore({"asOf": {}}, backup="nightly"),
        restore({"asOf": {"host": "acme-then.vivero.localhost"}}, time="2026-11-28T14:05:00Z"),
        restore({"tenant": "again", "slug": "again"}, time="2026-11-28T14:05:00Z"),
    ],
)
async def test_a_restore_has_one_target(kube: KubeClient, body: dict[str, Any]) -> None:
    await dry_run(kube, body, of_model(TenantRestore))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (restore({"inPlace": True}), "target.inPlace needs time or backup"),
        (restore({"inPlace": False}, backup="nightly"), "target.inPlace can only be true"),
        (
            restore({"inPlace": True, "tenant": "a", "slug": "acm"}, backup="b"),
            "give one target: target.inPlace, target.asOf, or",
        ),
        (restore({"inPlace": True, "slug": "acm"}, backup="b"), "give one target: target.inPlace, target.asOf, or"),
        (restore({}, backup="b"), "give one target: target.inPlace, target.asOf, or"),
        (restore({"asOf": {}, "inPlace": True}, backup="b"), "give one target: target.inPlace, target.asOf, or"),
        (restore({"asOf": {}, "slug": "acm"}, backup="b"), "give one target: target.inPlace, target.asOf, or"),
        (restore({"asOf": {"host": "Acme.example.com"}}), "spec.target.asOf.host"),
        (restore({"asOf": {"host": "acme"}}), "spec.target.asOf.host"),
        (restore({"asOf": {"host": "https://acme.example.com"}}), "spec.target.asOf.host"),
        (restore({"asOf": {"host": f"{'a' * 254}.example.com"}}), "spec.target.asOf.host"),
        (restore({"tenant": "a"}, backup="b"), "target.tenant and target.slug go together"),
        (restore({"slug": "acm"}, backup="b"), "target.tenant and target.slug go together"),
        (restore({"tenant": "a" * 64, "slug": "acm"}), "target.tenant must be at most 63 characters long"),
        (restore({"inPlace": True}, backup="b", time="2026-11-28T14:05:00Z"), "give backup or time, not both"),
    ],
)
async def test_a_restore_with_another_target_is_refused(kube: KubeClient, body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(KubeInvalidError) as refusal:
        await dry_run(kube, body, of_model(TenantRestore))
    assert sentence in str(refusal.value)


LONG = 10_000 * "x"
NAMES = ("", LONG, "Acme", "acmé", "a/b", "a\nb", "../acme", "a_b", "-a", "a\u202eb")
"""That no object has."""
TIMES = (
    "",
    "now",
    LONG,
    "2026-11-28",
    "2026-11-28 14:05:00Z",
    "2026-11-28T14:05:00",
    "2026-02-30T00:00:00Z",
    "2026-11-28T14:05:60Z",
    "2026-12-31T23:59:60Z",
    "2026-11-28T24:00:00Z",
    "2026-11-28T14:05:00+99:00",
    "2026-11-28T14:05:00.5Z",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "２０２６-11-28T14:05:00Z",
)
"""That are no second of an archive: among them leap seconds, and what would have to be rounded."""
IN_PLACE = {"inPlace": True}
ODD = [
    *(("TenantBackup", {"tenant": name}, "spec.tenant") for name in NAMES),
    *(("TenantProof", {"tenant": name}, "spec.tenant") for name in NAMES),
    *(("TenantRestore", {"tenant": name, "backup": "b", "target": IN_PLACE}, "spec.tenant") for name in NAMES),
    *(("TenantRestore", {"tenant": "a", "backup": name, "target": IN_PLACE}, "spec.backup") for name in NAMES),
    *(("TenantRestore", {"tenant": "a", "time": time, "target": IN_PLACE}, "time") for time in TIMES),
    *(
        ("TenantRestore", {"tenant": "a", "target": {"tenant": name, "slug": "acm"}}, "spec.target.tenant")
        for name in NAMES
    ),
    *(
        ("TenantRestore", {"tenant": "a", "target": {"tenant": "b", "slug": slug}}, "slug")
        for slug in ("", LONG, "www", "a--b", "Acme", "acmé", "a", "a\nb")
    ),
    *(("TenantErasure", {"id": name}, "spec.id") for name in (*NAMES, "aaaaaaaaaaa", "aaaaaaaaa", "AAAAAAAAAA")),
    *(("TenantErasure", {"id": "aaaaaaaaaa", "at": time}, "at") for time in TIMES if ".5" not in time),
    ("TenantErasure", {"id": "aaaaaaaaaa", "orderedBy": LONG}, "spec.orderedBy"),
]


async def test_an_odd_operation_is_refused_by_the_field_at_fault(kube: KubeClient) -> None:
    otherwise = []
    for number, (kind, spec, field) in enumerate(ODD):
        body = {"apiVersion": "vivero.dev/v1alpha1", "kind": kind, "metadata": {"name": f"odd-{number}"}, "spec": spec}
        try:
            await dry_run(kube, body, of_model(KINDS[kind]))
            said = "accepted"
        except KubeInvalidError as refusal:
            said = str(refusal)
        if field not in said:
            otherwise.append(f"{kind} {spec}: {said}"[:500])
    assert otherwise == []


async def test_seconds_of_every_zone_are_accepted(kube: KubeClient) -> None:
    for time in (
        "2026-11-28T14:05:00Z",
        "2026-11-29T04:05:00+14:00",
        "2026-11-28T00:05:00-14:00",
        "2028-02-29T00:00:00Z",
    ):
        await dry_run(kube, restore({"inPlace": True}, time=time), of_model(TenantRestore))


@pytest.mark.usefixtures("setup")
async def test_what_cannot_change_does_not(kube: KubeClient) -> None:
    body = manifest(NOT_STARTED, databaseServer="main", trialEndsAt="2026-12-22T00:00:00Z")
    created = await kube.create(body)
    try:
        # Mistyped, it can be corrected until something is there.
        await kube.patch(TENANT, NOT_STARTED, {"spec": {"databaseServer": "main-2"}})
        await kube.patch(TENANT, NOT_STARTED, {"spec": {"databaseServer": "main"}})
        await kube.patch_status(TENANT, NOT_STARTED, {"databaseServer": "main"})
        for change, sentence in CHANGES:
            with pytest.raises(KubeInvalidError) as refusal:
                await kube.patch(TENANT, NOT_STARTED, {"spec": change})
            assert sentence in str(refusal.value)
        await kube.patch(TENANT, NOT_STARTED, {"spec": {"plan": "starter", "trialEndsAt": None}})
    finally:
        await kube.delete(TENANT, NOT_STARTED, uid=created["metadata"]["uid"])
