"""Own hosts whose certificates an issuer brings, and hosts that come into service by themselves: no drift."""

from datetime import timedelta

import pytest
from reconcile.certificates import secret_body
from reconcile.scenes import IDENT, NAMESPACE, again, change, events, serving
from reconcile.world import NOW, World
from unit.operator.own_hosts import GIVEN, HOST, OTHER, hand_in, publish, routes, said, served, with_issuer
from vivero_operator.manifests import copies, ingress


class TestIssuer:
    def issue(self, world: World, host: str = HOST, begins: int = -1) -> None:
        """cert-manager writes the Secret that the Ingress names."""
        made = secret_body(copies.certificate_name(host), host, NOW + timedelta(days=begins), NAMESPACE)
        world.put({**made, "metadata": {"name": copies.certificate_name(host), "namespace": NAMESPACE}})

    async def test_it_is_routed_first_so_that_the_challenge_comes_through(self) -> None:
        world = await with_issuer(hosts=[HOST])
        publish(world)
        await world.reconcile()
        assert said(world)["reason"] == "CertificateMissing"
        assert "until letsencrypt has issued" in said(world)["message"]
        assert routes(world, ingress.ISSUED_HOSTS) == [HOST]
        self.issue(world)
        await world.reconcile()
        assert said(world)["ready"]

    async def test_an_expired_one_stays_routed(self) -> None:
        world = await with_issuer(hosts=[HOST])
        publish(world)
        self.issue(world, begins=-100)
        await world.reconcile()
        assert said(world)["reason"] == "CertificateInvalid"
        assert routes(world, ingress.ISSUED_HOSTS) == [HOST]

    async def test_before_it_is_proven_nothing_is_asked_of_it(self) -> None:
        world = await with_issuer(hosts=[HOST])
        await world.reconcile()
        assert routes(world, ingress.ISSUED_HOSTS) == []

    async def test_what_a_person_handed_in_is_none_of_its_business(self) -> None:
        world = await with_issuer(hosts=[HOST, OTHER], hostCertificates=GIVEN)
        publish(world)
        publish(world, OTHER)
        hand_in(world)
        self.issue(world, OTHER)
        await world.reconcile()
        assert routes(world) == [HOST]
        assert routes(world, ingress.ISSUED_HOSTS) == [OTHER]
        own = world.kube.objects["Ingress", NAMESPACE, ingress.HOSTS]
        assert "cert-manager.io/cluster-issuer" not in own["metadata"]["annotations"]
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        assert routes(world, f"tenant-{IDENT}", "vivero-system") == [HOST]
        assert routes(world, f"tenant-{IDENT}-issued", "vivero-system") == [OTHER]
        suspended_ingress = world.kube.objects["Ingress", "vivero-system", f"tenant-{IDENT}"]
        assert "cert-manager.io/cluster-issuer" not in suspended_ingress["metadata"]["annotations"]
        assert routes(world) == routes(world, ingress.ISSUED_HOSTS) == []

    async def test_one_of_a_person_that_is_bad_is_not_routed_although_there_is_an_issuer(self) -> None:
        world = await with_issuer(hosts=[HOST], hostCertificates=GIVEN)
        publish(world)
        hand_in(world, begins=-100)
        await world.reconcile()
        assert routes(world) == routes(world, ingress.ISSUED_HOSTS) == []
        assert said(world)["message"].startswith("Not routed")

    async def test_without_an_issuer_any_more_its_route_goes(self) -> None:
        world = await with_issuer(hosts=[HOST])
        publish(world)
        await world.reconcile()
        world.settings = world.settings.model_copy(update={"host_issuer": ""})
        world.restart()
        await world.reconcile()
        assert routes(world, ingress.ISSUED_HOSTS) == []


class TestNoAlarm:
    """Hosts come into service by themselves, long after the spec was carried out: that is no drift."""

    async def test_when_dns_and_certificate_come_late(self) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN)
        await world.reconcile()
        for act in (publish, hand_in):
            act(world)
            await again(world)
        assert routes(world) == [HOST]
        assert not any("Drift" in one for one in events(world)), events(world)

    async def test_when_they_come_while_it_is_suspended(self) -> None:
        world = await serving()
        change(world, hosts=[HOST], hostCertificates=GIVEN, suspended={"reason": "Unpaid"})
        await world.reconcile()
        for act in (publish, hand_in):
            act(world)
            await again(world)
        assert routes(world, f"tenant-{IDENT}", "vivero-system") == [HOST]
        assert not any("Drift" in one for one in events(world)), events(world)

    @pytest.mark.parametrize("what", [("Ingress", ingress.HOSTS), ("Secret", copies.certificate_name(HOST))])
    async def test_what_was_there_and_is_gone_is_drift(self, what: tuple[str, str]) -> None:
        world = await served()
        await again(world)
        world.remove(what[0], NAMESPACE, what[1])
        await again(world)
        assert routes(world) == [HOST]
        assert any(f"Drift corrected: {what[0]}/{what[1]}" in one for one in events(world))
