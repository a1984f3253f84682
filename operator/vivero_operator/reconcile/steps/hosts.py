"""Custom domains: verifies their ownership, manages their certificates, and reports what a client sees.

A host that lacks something stops nothing else: the workspace answers at its
own address, and the other hosts are served.
"""

import asyncio
import base64
import binascii
from typing import Final

from vivero_core.backends.kube.resources import SECRET
from vivero_core.errors import BackendUnavailableError
from vivero_core.model.constants import LABEL_HOST_CERTIFICATE, LABEL_TENANT, Reason
from vivero_core.model.own_hosts import record_name, record_value
from vivero_core.model.tenant import HostStatus

from vivero_operator.instance import Manifest
from vivero_operator.manifests import copies
from vivero_operator.policies import certificates
from vivero_operator.policies import hosts as policy
from vivero_operator.policies.certificates import CertificateCheck
from vivero_operator.policies.hosts import Seen
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile import routes
from vivero_operator.reconcile.run import Run

_LOOK_AGAIN_SECONDS: Final = 60.0
"""How soon a host that is not ready is retried: a person has just been told what to do."""


async def examine(run: Run) -> Outcome:
    """What is so of each host; `run.hosts` says it."""
    if run.tenant.status.hosts:
        await _take_back(run)
    async with asyncio.TaskGroup() as group:
        # In parallel: a DNS lookup that times out takes seconds for each.
        looks = [group.create_task(_look(run, host)) for host in run.tenant.spec.hosts]
    run.hosts = tuple(one.result() for one in looks)
    ready = all(one.ready for one in run.hosts)
    return done(Reason.PROVISIONED, retry_after=None if ready else _LOOK_AGAIN_SECONDS)


async def _look(run: Run, host: str) -> HostStatus:
    return policy.status(run.tenant, host, await _see(run, host))


async def _take_back(run: Run) -> None:
    """Remove copies of certificates that the spec names no more: a customer's private key, and no issuer's certificate."""
    named = {one.host for one in run.tenant.spec.host_certificates}
    kept = {copies.certificate_name(host) for host in run.tenant.spec.hosts if host in named}
    selector = f"{LABEL_TENANT}={run.instance.id}"
    listing = await run.kube.list(SECRET, run.instance.namespace, label_selector=selector, metadata_only=True)
    for live in listing.items:
        if copies.is_certificate_copy(live) and live["metadata"]["name"] not in kept:
            await run.delete(SECRET, live)


async def _see(run: Run, host: str) -> Seen:
    settings = run.instance.settings
    refusal = policy.refused(run.tenant, host, run.services.cluster.rivals(run.tenant), settings.base_domain)
    if refusal is not None:
        return Seen(refusal=refusal)
    known = next((one.verified_at for one in run.tenant.status.hosts if one.host == host), None)
    if not routes.of(settings).takes_own_hosts:
        # A proof stays: these routes may be here for a while only.
        return Seen(refusal=policy.not_supported(host), verified_at=known)
    fault = None
    if known is None:
        try:
            known = run.services.now() if await _is_proven(run, host) else None
        except BackendUnavailableError as error:
            fault = str(error)
    if known is None:
        return Seen(dns_fault=fault)
    return Seen(verified_at=known, certificate=await _certificate(run, host), issuer=run.instance.issuer(host))


async def _is_proven(run: Run, host: str) -> bool:
    if run.instance.settings.host_verification == "off":
        return True
    wanted = record_value(run.tenant.metadata.uid, host)
    return wanted in await run.services.dns.texts(record_name(host))


async def _certificate(run: Run, host: str) -> CertificateCheck | None:
    """Of the Secret that the spec names, which is copied to where the ingress reads it; else of the issuer's."""
    settings, named = run.instance.settings, run.instance.certificates
    if host not in named:
        if run.instance.issuer(host) is None:
            return None
        issued = await run.find(SECRET, copies.certificate_name(host), run.instance.namespace)
        return _checked(run, issued, host) if issued is not None else None
    given = await run.find(SECRET, named[host], settings.platform_namespace)
    if given is None:
        return CertificateCheck(None, f"is missing: there is no Secret {named[host]} in {settings.platform_namespace}")
    if given["metadata"].get("labels", {}).get(LABEL_HOST_CERTIFICATE) != "true":
        return CertificateCheck(
            None, f"may not be used: Secret {named[host]} lacks the label {LABEL_HOST_CERTIFICATE}=true"
        )
    check = _checked(run, given, host)
    if check.problem is None and not run.instance.suspended:
        await run.ensure(copies.certificate(run.instance, host, given["data"]), optional=True)
    return check


def _checked(run: Run, secret: Manifest, host: str) -> CertificateCheck:
    data = secret.get("data") or {}
    try:
        chain, key = (base64.b64decode(data[name], validate=True) for name in ("tls.crt", "tls.key"))
    except (KeyError, binascii.Error):
        return CertificateCheck(
            None, f"cannot be parsed: Secret {secret['metadata']['name']} needs tls.crt and tls.key"
        )
    return certificates.check_certificate(chain, key, host, run.services.now())
