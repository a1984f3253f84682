"""A customer's own host through its life: proven, certified, routed, and told of truly; one that lacks something stops nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from reconcile.certificates import pem
from reconcile.scenes import IDENT, NAMESPACE, again, body, change, condition, events, serving
from reconcile.world import NOW, Object
from unit.operator.own_hosts import GIVEN, HOST, OTHER, hand_in, publish, routes, said, served
from vivero_core.errors import BackendUnavailableError
from vivero_core.model.own_hosts import record_value
from vivero_operator.manifests import copies


class TestLife:
    async def test_from_the_wish_to_service(self) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        result = await world.reconcile()
        assert said(world)["reason"] == "HostUnverified"
        record = record_value(next(iter(world.cluster.tenants)).metadata.uid, HOST)
        assert f"_vivero.{HOST} of type TXT with the value {record}" in said(world)["message"]
        assert condition(world, "HostsReady") == "False HostUnverified"
        assert condition(world, "Ready") == "True Proven", "DNS is the customer's"
        assert result.retry_after == 60
        publish(world)
        await world.reconcile()
        assert said(world)["reason"] == "CertificateInvalid"
        assert "there is no Secret app-tls in vivero-system" in said(world)["message"]
        assert routes(world) == []
        hand_in(world)
        await world.reconcile()
        assert said(world)["ready"]
        assert said(world)["certificateExpiresAt"] == "2027-02-19T12:00:00Z"
        assert condition(world, "HostsReady") == "True HostServed"
        assert routes(world) == [HOST]
        assert ("Secret", NAMESPACE, copies.certificate_name(HOST)) in world.kube.objects

    async def test_a_proof_is_kept_until_the_host_is_not_wanted_any_more(self) -> None:
        world = await served()
        verified = said(world)["verifiedAt"]
        world.dns.records.clear()
        world.now += timedelta(days=1)
        await again(world)
        assert said(world)["verifiedAt"] == verified
        assert routes(world) == [HOST]
        change(world, hosts=[], hostCertificates=None)
        await world.reconcile()
        assert routes(world) == []
        assert condition(world, "HostsReady") is None
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        await world.reconcile()
        assert said(world)["reason"] == "HostUnverified"

    async def test_while_suspended_the_page_is_at_its_own_host_too(self) -> None:
        world = await served()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        assert routes(world) == []
        assert routes(world, f"tenant-{IDENT}", "vivero-system") == [HOST]
        change(world, suspended=None)
        await world.reconcile()
        assert routes(world) == [HOST]
        assert routes(world, f"tenant-{IDENT}", "vivero-system") == []

    async def test_a_host_given_up_while_suspended_leaves_no_page(self) -> None:
        world = await served()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        change(world, hosts=[], hostCertificates=None)
        await world.reconcile()
        assert routes(world, f"tenant-{IDENT}", "vivero-system") == []

    async def test_it_goes_with_the_tenant(self) -> None:
        world = await served()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T12:01:00Z"}})
        await world.reconcile()
        assert not any(kind == "Ingress" and where == "vivero-system" for kind, where, _ in world.kube.objects)


class TestProofs:
    async def test_anothers_record_proves_nothing(self) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        hand_in(world)
        world.dns.records[f"_vivero.{HOST}"] = {"vivero-verification=" + "a" * 32, ""}
        await world.reconcile()
        assert said(world)["reason"] == "HostUnverified"
        assert routes(world) == []

    async def test_dns_without_an_answer_is_said_and_stops_nothing(self) -> None:
        world = await served()
        world.dns.down = True
        change(world, hosts=[HOST, OTHER])
        await world.reconcile()
        assert "no answer (LifetimeTimeout)" in said(world, OTHER)["message"]
        assert said(world)["ready"]
        assert routes(world) == [HOST]
        assert condition(world, "Ready") == "True Proven"

    async def test_ten_without_an_answer_take_as_long_as_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await serving()
        open_questions: list[int] = [0, 0]

        async def slow(_: str) -> frozenset[str]:
            open_questions[0] += 1
            open_questions[1] = max(open_questions)
            await asyncio.sleep(0.01)
            open_questions[0] -= 1
            raise BackendUnavailableError("dns", "no answer")

        monkeypatch.setattr(world.dns, "texts", slow)
        change(world, hosts=[f"a{number}.example.com" for number in range(10)])
        await world.reconcile()
        assert open_questions[1] == 10
        named = [one["host"] for one in body(world)["status"]["hosts"]]
        assert named == [f"a{number}.example.com" for number in range(10)], "as in the spec"

    async def test_where_staff_vouch_for_it_no_record_is_asked_for(self) -> None:
        world = await serving()
        world.settings = world.settings.model_copy(update={"host_verification": "off"})
        world.restart()
        world.dns.down = True
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        hand_in(world)
        await world.reconcile()
        assert said(world)["ready"]

    async def test_a_host_of_the_platform_is_refused_whatever_is_published(self) -> None:
        world = await serving()
        change(world, hosts=["other.vivero.localhost"])
        publish(world, "other.vivero.localhost")
        await world.reconcile()
        assert said(world, "other.vivero.localhost")["reason"] == "HostNotAllowed"


class TestCertificates:
    @pytest.mark.parametrize(
        ("edit", "words"),
        [
            ({"metadata": {"labels": {"vivero.dev/host-certificate": None}}}, "lacks the label"),
            ({"metadata": {"labels": {"vivero.dev/host-certificate": "false"}}}, "lacks the label"),
            ({"data": {"tls.key": None}}, "needs tls.crt and tls.key"),
            ({"data": None}, "needs tls.crt and tls.key"),
            ({"data": {"tls.crt": "no base64!"}}, "needs tls.crt and tls.key"),
            ({"data": {"tls.crt": "bm8gcGVt"}}, "is not valid PEM"),
        ],
    )
    async def test_one_that_cannot_be_used_is_not_copied(self, edit: Object, words: str) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        publish(world)
        hand_in(world)
        world.put(
            {"kind": "Secret", "metadata": {"name": "app-tls", "namespace": "vivero-system"}, **edit} | merged(edit)
        )
        await world.reconcile()
        assert said(world)["reason"] == "CertificateInvalid"
        assert words in said(world)["message"]
        assert routes(world) == []
        assert ("Secret", NAMESPACE, copies.certificate_name(HOST)) not in world.kube.objects

    @pytest.mark.parametrize(
        ("host", "begins", "words"),
        [
            (HOST, -91, "expired on 2026-11-21"),
            (HOST, 1, "is valid only from"),
            (OTHER, -1, f"is not valid for {HOST}"),
        ],
    )
    async def test_one_that_clients_refuse_is_not_routed(self, host: str, begins: int, words: str) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        publish(world)
        hand_in(world, host, begins=begins)
        await world.reconcile()
        assert words in said(world)["message"]
        assert routes(world) == []

    async def test_when_it_expires_the_route_goes_and_a_new_one_brings_it_back(self) -> None:
        world = await served()
        world.now += timedelta(days=100)
        await again(world)
        assert said(world)["reason"] == "CertificateInvalid"
        assert routes(world) == []
        before = world.kube.objects["Secret", NAMESPACE, copies.certificate_name(HOST)]["data"]
        hand_in(world, begins=99)
        await world.reconcile()
        assert said(world)["ready"]
        assert routes(world) == [HOST]
        assert world.kube.objects["Secret", NAMESPACE, copies.certificate_name(HOST)]["data"] != before
        assert not any("Drift" in one for one in events(world)), events(world)

    async def test_of_a_secret_only_what_belongs_there_is_copied(self) -> None:
        world = await served()
        copy = world.kube.objects["Secret", NAMESPACE, copies.certificate_name(HOST)]
        assert set(copy["data"]) == {"tls.crt", "tls.key"}
        assert copy["type"] == "kubernetes.io/tls"

    async def test_a_host_without_one(self) -> None:
        world = await serving()
        change(world, hosts=[HOST])
        publish(world)
        await world.reconcile()
        assert said(world)["reason"] == "CertificateMissing"
        assert "spec.hostCertificates" in said(world)["message"]
        assert routes(world) == []


def merged(edit: Object) -> Object:
    """Names and namespace beside what is edited."""
    meta: dict[str, Any] = {"name": "app-tls", "namespace": "vivero-system", **edit.get("metadata", {})}
    return {"metadata": meta}


def test_a_secret_of_a_host_has_a_name_however_long_the_host_is() -> None:
    long = ".".join(["a" * 60] * 4)
    assert len(copies.certificate_name(long)) <= 63
    assert copies.certificate_name(long) != copies.certificate_name(HOST)
    assert pem(HOST, NOW)[0]
