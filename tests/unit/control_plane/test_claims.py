"""Claims: one Tenant for one signup, whoever else writes and whatever ends when."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW, spare_body, tenant_body
from vivero_control.domain.signups import access
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.domain.signups.provisioning import CLAIM_ATTEMPTS, Provisioner, TenantRequest, signups
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantChangedError,
    TenantNotFoundError,
    TenantRefusedError,
)
from vivero_control.domain.tenants.repository import TenantRepository, tenant_manifest
from vivero_core.backends.kube.client import Change, Listing
from vivero_core.model.constants import ANNOTATION_TRACE, LABEL_POOL, LABEL_SIGNUP
from vivero_core.model.tenant import Tenant, TenantSpec
from vivero_core.tracing.spans import Kind, Tracer

Body = dict[str, Any]


class ProcessKilled(BaseException):
    """Simulates the end of the process."""


async def no_hook(_: str) -> None:
    """A hook that does nothing."""


class FakeCluster(TenantRepository):
    """A fake API server with resource versions, conditional writes and unique names.

    `around` is called before and after every write, and may end the process or let others run first.
    """

    def __init__(self, *bodies: Body) -> None:
        self.bodies = {body["metadata"]["name"]: body for body in bodies}
        self.secrets: dict[str, str] = {}
        self.version = 100
        self.conflicts = 0
        self.lists = 0
        self.around: Callable[[str], Awaitable[None]] = no_hook

    def informer(self) -> TenantDirectory:
        """An informer right after its initial list."""
        made = TenantDirectory()
        made.apply(Listing([dict(body) for body in self.bodies.values()], str(self.version)))
        return made

    def of(self, tenant_request: TenantRequest) -> list[Tenant]:
        """The Tenant of a request; more than one is an error."""
        secret = access.secret_name(tenant_request.signup_id)
        tenants = map(Tenant.parse, self.bodies.values())
        return [one for one in tenants if one.spec.owner and one.spec.owner.password_hash_secret == secret]

    async def find(self, name: str) -> Tenant | None:
        return Tenant.parse(self.bodies[name]) if name in self.bodies else None

    async def of_signup(self, digest: str) -> Tenant | None:
        self.lists += 1
        labelled = (
            one for one in self.bodies.values() if one["metadata"].get("labels", {}).get(LABEL_SIGNUP) == digest
        )
        return next(map(Tenant.parse, labelled), None)

    async def create(
        self, name: str, spec: TenantSpec, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
    ) -> Tenant:
        await self.around("before create")
        if name not in self.bodies:
            manifest = tenant_manifest(name, spec, labels, annotations)
            self._write(name, manifest | {"metadata": manifest["metadata"] | {"uid": f"uid-{name}", "generation": 1}})
        await self.around("after create")
        return Tenant.parse(self.bodies[name])

    async def patch(
        self,
        tenant: Tenant,
        spec: Body,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Tenant:
        await self.around("before claim")
        body = self.bodies.get(tenant.name)
        if body is None:
            raise TenantNotFoundError(tenant.name)
        metadata = body["metadata"]
        if metadata["resourceVersion"] != tenant.metadata.resource_version:
            self.conflicts += 1
            raise TenantChangedError(tenant.name)
        metadata = metadata | {
            "labels": metadata.get("labels", {}) | (labels or {}),
            "annotations": metadata.get("annotations", {}) | (annotations or {}),
        }
        metadata["generation"] += 1
        self._write(tenant.name, body | {"metadata": metadata, "spec": body["spec"] | spec})
        await self.around("after claim")
        return Tenant.parse(self.bodies[tenant.name])

    async def create_password_secret(self, name: str, password_hash: str) -> str | None:
        await self.around("before secret")
        there = name in self.secrets
        self.secrets[name] = password_hash
        await self.around("after secret")
        return None if there else f"uid-{name}"

    async def delete_password_secret(self, name: str, uid: str) -> None:
        assert uid == f"uid-{name}"
        await self.around("before taking back")
        del self.secrets[name]

    def touch(self, name: str) -> None:
        """A concurrent write, for example of a status by the operator."""
        self._write(name, self.bodies[name])

    def _write(self, name: str, body: Body) -> None:
        self.version += 1
        self.bodies[name] = body | {"metadata": body["metadata"] | {"resourceVersion": str(self.version)}}


def provisioner(cluster: FakeCluster, directory: TenantDirectory | None = None) -> Provisioner:
    return Provisioner(cluster, directory or cluster.informer(), lambda: NOW)


def tenant_request(number: int = 1, slug: str | None = None) -> TenantRequest:
    return TenantRequest(
        signup_id=f"{number:032x}",
        slug=slug or f"acme-{number}",
        company="Bähr & Söhne",
        email=f"owner@acme-{number}.example.com",
        plan="trial",
        trial_ends_at=NOW,
        password_hash="$argon2id$made-up",
    )


def spares(count: int) -> list[Body]:
    made = [spare_body(f"trial-s{number}", deletionPolicy="Delete") for number in range(count)]
    for body in made:
        body["metadata"]["labels"] = {LABEL_POOL: "trials"}
    return made


def counted() -> tuple[float, float]:
    values = {
        one.labels["start"]: one.value
        for metric in signups.collect()
        for one in metric.samples
        if one.name.endswith("_total")
    }
    return values["warm"], values["cold"]


async def test_a_claim_is_one_complete_write() -> None:
    cluster = FakeCluster(*spares(1))
    writes: list[str] = []

    async def note(moment: str) -> None:
        writes.append(moment)

    cluster.around = note
    directory = cluster.informer()
    warm, cold = counted()
    await provisioner(cluster, directory).provision(tenant_request())
    assert writes == ["before secret", "after secret", "before claim", "after claim"]
    assert cluster.lists == 0
    assert counted() == (warm + 1, cold)
    (claimed,) = cluster.of(tenant_request())
    assert (claimed.name, claimed.spec.slug, claimed.spec.display_name) == ("trial-s0", "acme-1", "Bähr & Söhne")
    assert (claimed.spec.claimed_at, claimed.spec.trial_ends_at, claimed.spec.pool) == (NOW, NOW, "trials")
    assert claimed.metadata.labels == {
        LABEL_POOL: "trials",
        LABEL_SIGNUP: access.signup_digest(tenant_request().signup_id),
    }
    assert claimed.spec.deletion_policy == "Retain", "a spare's data is nobody's, a customer's is kept"
    assert directory.by_slug("acme-1") == claimed, "seen at once, not when the watch tells"
    assert tenant_request().signup_id not in str(cluster.bodies)


async def test_without_a_spare_a_tenant_is_created() -> None:
    busy = spare_body("trial-s0", version=8, proven=None)
    cluster = FakeCluster(busy, *[spare_body("starter-s0", plan="starter")])
    warm, cold = counted()
    await provisioner(cluster).provision(tenant_request())
    (made,) = cluster.of(tenant_request())
    assert (made.name, made.spec.claimed_at, made.spec.pool) == ("acme-1", None, None)
    assert made.metadata.labels[LABEL_SIGNUP] == access.signup_digest(tenant_request().signup_id)
    assert counted() == (warm, cold + 1)


@pytest.mark.parametrize("bodies", [spares(1), []], ids=["claimed", "created"])
async def test_the_tenant_bears_the_context_of_its_signup(bodies: list[Body]) -> None:
    wanted, cluster = tenant_request(), FakeCluster(*bodies)
    with Tracer(lambda _: None).begin("POST /api/v1/signups", Kind.SERVER) as request:
        assert request is not None
        await provisioner(cluster).provision(wanted)
    (made,) = cluster.of(wanted)
    assert made.metadata.annotations == {ANNOTATION_TRACE: str(request.context)}


async def test_without_tracing_it_bears_none() -> None:
    cluster = FakeCluster(*spares(1))
    await provisioner(cluster).provision(tenant_request())
    (made,) = cluster.of(tenant_request())
    assert made.metadata.annotations == {}


async def test_a_lost_race_takes_the_next_spare() -> None:
    cluster = FakeCluster(*spares(2))
    directory = cluster.informer()
    chosen = cluster.informer().reserve_spare("trial", tenant_request().signup_id, NOW)
    assert chosen is not None
    cluster.touch(chosen.name)
    await provisioner(cluster, directory).provision(tenant_request())
    (claimed,) = cluster.of(tenant_request())
    assert claimed.name != chosen.name
    assert cluster.conflicts == 1


async def test_a_deleted_spare_is_skipped() -> None:
    cluster = FakeCluster(*spares(2))
    directory = cluster.informer()
    chosen = cluster.informer().reserve_spare("trial", tenant_request().signup_id, NOW)
    assert chosen is not None
    del cluster.bodies[chosen.name]
    await provisioner(cluster, directory).provision(tenant_request())
    assert len(cluster.of(tenant_request())) == 1


async def test_after_too_many_lost_claims_a_tenant_is_created() -> None:
    cluster = FakeCluster(*spares(CLAIM_ATTEMPTS + 2))
    directory = cluster.informer()
    for name in list(cluster.bodies):
        cluster.touch(name)
    await provisioner(cluster, directory).provision(tenant_request())
    assert [one.name for one in cluster.of(tenant_request())] == ["acme-1"]
    assert cluster.conflicts == CLAIM_ATTEMPTS


def test_a_lost_spare_is_offered_again_only_in_a_newer_version() -> None:
    directory = FakeCluster(*spares(1)).informer()
    assert directory.reserve_spare("trial", "one", NOW) is not None
    assert directory.reserve_spare("trial", "two", NOW) is None
    assert directory.spares("trial", NOW) == []
    directory.apply(Change("MODIFIED", spare_body("trial-s0", version=200)))
    assert directory.reserve_spare("trial", "two", NOW) is not None


@given(st.integers(2, 12))
def test_concurrent_processes_rarely_try_the_same_spare_first(count: int) -> None:
    """About one in `count` of a hundred pairs of signups collides; with a fixed order every pair would."""
    cluster = FakeCluster(*spares(count))
    firsts = [cluster.informer().reserve_spare("trial", f"signup-{number}", NOW) for number in range(200)]
    names = [one.name for one in firsts if one is not None]
    same = sum(names[at] == names[at + 1] for at in range(0, 200, 2))
    assert len(names) == 200
    assert same < 100 * (1 / count) + 25


@given(
    crowd=st.integers(1, 12),
    pool=st.integers(0, 8),
    processes=st.integers(1, 4),
    chance=st.randoms(use_true_random=False),
)
def test_concurrent_signups_each_get_their_own_tenant(
    crowd: int, pool: int, processes: int, chance: random.Random
) -> None:
    cluster = FakeCluster(*spares(pool))

    async def hold_up(_: str) -> None:
        for _turn in range(chance.randrange(4)):
            await asyncio.sleep(0)

    async def everybody() -> None:
        cluster.around = hold_up
        works = [provisioner(cluster) for _ in range(processes)]
        await asyncio.gather(*(works[number % processes].provision(tenant_request(number)) for number in range(crowd)))

    asyncio.run(everybody())
    got = [cluster.of(tenant_request(number)) for number in range(crowd)]
    assert all(len(tenants) == 1 for tenants in got)
    assert len({tenants[0].name for tenants in got}) == crowd
    assert len({tenants[0].spec.slug for tenants in got}) == crowd
    assert len(cluster.secrets) == crowd
    claimed = sum(tenants[0].spec.claimed_at is not None for tenants in got)
    assert claimed <= pool
    if processes == 1:
        assert claimed == min(crowd, pool)
        assert cluster.conflicts == 0


MOMENTS = ("before secret", "after secret", "before claim", "after claim", "before create", "after create")


@pytest.mark.parametrize("pool", [0, 1, 3])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_worker_finishes_what_a_killed_request_began(moment: str, pool: int) -> None:
    cluster = FakeCluster(*spares(pool))

    async def die(now: str) -> None:
        if now == moment:
            raise ProcessKilled

    cluster.around = die
    happens = "create" not in moment if pool else "claim" not in moment
    if happens:
        with pytest.raises(ProcessKilled):
            await provisioner(cluster).provision(tenant_request())
    else:
        await provisioner(cluster).provision(tenant_request())
    cluster.around = no_hook
    for _ in range(2):  # the worker may die after it as well
        await provisioner(cluster, TenantDirectory()).retry(tenant_request())
    (tenant,) = cluster.of(tenant_request())
    assert tenant.spec.slug == "acme-1"
    assert cluster.secrets == {access.secret_name(tenant_request().signup_id): tenant_request().password_hash}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_two_concurrent_workers_create_one_tenant(moment: str) -> None:
    """A worker that lost its connection, and so its row lock, continues while another takes the row."""
    cluster = FakeCluster(*spares(2))
    interrupted = False

    async def another(now: str) -> None:
        nonlocal interrupted
        if now == moment and not interrupted:
            interrupted = True
            await provisioner(cluster).retry(tenant_request())

    cluster.around = another
    await provisioner(cluster).retry(tenant_request())
    assert [one.name for one in cluster.of(tenant_request())] == ["acme-1"]


async def test_a_tenant_of_an_earlier_release_is_known_by_its_name() -> None:
    """Earlier releases set no label."""
    secret = access.secret_name(tenant_request().signup_id)
    cluster = FakeCluster(tenant_body("acme-1", owner={"email": "a@example.com", "passwordHashSecret": secret}))
    await provisioner(cluster).retry(tenant_request())
    assert len(cluster.bodies) == 1


@pytest.mark.parametrize("taken_by", [tenant_body("acme-1"), spare_body("acme-1", proven=None)])
async def test_a_name_that_is_taken_leaves_no_hash_behind(taken_by: Body) -> None:
    cluster = FakeCluster(taken_by, *spares(1))
    directory = cluster.informer()
    cluster.touch("trial-s0")
    with pytest.raises(SlugTakenError):
        await provisioner(cluster, directory).provision(tenant_request())
    assert cluster.secrets == {}
    assert cluster.of(tenant_request()) == []


async def test_what_the_cluster_refuses_leaves_no_hash_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object) -> Tenant:
        raise TenantRefusedError("No such names here.")

    for pool, call in ((1, "patch"), (0, "create")):
        cluster = FakeCluster(*spares(pool))
        monkeypatch.setattr(cluster, call, refused)
        with pytest.raises(TenantRefusedError):
            await provisioner(cluster).provision(tenant_request())
        assert cluster.secrets == {}


async def test_a_password_hash_that_cannot_be_deleted_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cluster = FakeCluster(tenant_body("acme-1"))

    async def away(moment: str) -> None:
        if moment == "before taking back":
            raise ClusterUnavailableError from TimeoutError()

    cluster.around = away
    for _ in range(2):  # the second time it is there already, and nobody may ask for its uid
        with pytest.raises(SlugTakenError):
            await provisioner(cluster).provision(tenant_request())
    secret = access.secret_name(tenant_request().signup_id)
    kept = [vars(record)["object"] for record in caplog.records if "password Secret not deleted" in record.getMessage()]
    assert kept == [secret] * 2
    assert tenant_request().password_hash not in caplog.text


async def test_a_claim_without_a_response_is_not_retried_on_another_spare() -> None:
    """The claim may have succeeded."""
    cluster = FakeCluster(*spares(3))

    async def lost(moment: str) -> None:
        if moment == "after claim":
            raise ClusterUnavailableError

    cluster.around = lost
    with pytest.raises(ClusterUnavailableError):
        await provisioner(cluster).provision(tenant_request())
    assert len(cluster.of(tenant_request())) == 1
