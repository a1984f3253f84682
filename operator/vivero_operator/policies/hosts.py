"""A customer's own hosts: whose they are, and what a client sees there. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vivero_core.model.constants import Reason
from vivero_core.model.own_hosts import record_name, record_value
from vivero_core.model.tenant import HostStatus, Tenant

from vivero_operator.policies.allocation import Refusal
from vivero_operator.policies.certificates import CertificateCheck

_CERTIFICATE_AWAITED: Final = frozenset({Reason.CERTIFICATE_MISSING, Reason.CERTIFICATE_INVALID})
"""All that a proven host may lack."""


@dataclass(frozen=True)
class Seen:
    """What was found out about a host."""

    refusal: Refusal | None = None
    """It cannot be this tenant's at all."""
    verified_at: datetime | None = None
    dns_fault: str | None = None
    """Why DNS could not be asked."""
    certificate: CertificateCheck | None = None
    """Of the certificate that is there; None when there is none."""
    issuer: str | None = None
    """Who brings one and renews it; None when a person does."""


def refused(tenant: Tenant, host: str, others: Iterable[Tenant], base_domain: str) -> Refusal | None:
    """Hosts under the base domain are what slugs are for; any other host belongs to the first who proved it."""
    if host == base_domain or host.endswith(f".{base_domain}"):
        return (
            Reason.HOST_NOT_ALLOWED,
            f"Host {host} is under the base domain {base_domain}, which is reserved for slugs",
        )
    mine = _proven_at(tenant, host)
    for other in others:
        theirs = _proven_at(other, host)
        if other.metadata.uid == tenant.metadata.uid or theirs is None or host not in other.spec.hosts:
            continue
        if mine is None or (theirs, other.metadata.uid) < (mine, tenant.metadata.uid):
            return Reason.HOST_TAKEN, f"Host {host} belongs to Tenant {other.name}, which verified it first"
    return None


def not_supported(host: str) -> Refusal:
    """With the Gateway API a certificate belongs to a listener of the Gateway, which the operator does not change."""
    return (
        Reason.HOST_NOT_SUPPORTED,
        f"Not routed: this platform serves workspaces through a Gateway, without custom hosts such as {host}",
    )


def _proven_at(tenant: Tenant, host: str) -> datetime | None:
    return next((one.verified_at for one in tenant.status.hosts if one.host == host), None)


def status(tenant: Tenant, host: str, seen: Seen) -> HostStatus:
    """What a client sees at this host now, and what is to be done."""
    ready, reason, message = _verdict(tenant, host, seen)
    return HostStatus(
        host=host,
        ready=ready,
        reason=reason,
        message=message,
        verified_at=seen.verified_at,
        certificate_expires_at=seen.certificate.expires_at if seen.certificate else None,
    )


def _verdict(tenant: Tenant, host: str, seen: Seen) -> tuple[bool, str, str]:
    if seen.refusal is not None:
        return False, seen.refusal[0], seen.refusal[1]
    if seen.verified_at is None:
        asked = f"DNS record {record_name(host)} of type TXT with the value {record_value(tenant.metadata.uid, host)}"
        fault = f" {seen.dns_fault}." if seen.dns_fault else ""
        return False, Reason.HOST_UNVERIFIED, f"Not routed.{fault} To verify ownership of {host}, publish the {asked}"
    return _of_certificate(seen)


def _of_certificate(seen: Seen) -> tuple[bool, str, str]:
    if seen.certificate is None and seen.issuer is not None:
        return (
            False,
            Reason.CERTIFICATE_MISSING,
            f"Routed; clients get certificate warnings until {seen.issuer} has issued a certificate",
        )
    if seen.certificate is None:
        return (
            False,
            Reason.CERTIFICATE_MISSING,
            "Not routed: it has no certificate. Name a Secret in spec.hostCertificates",
        )
    problem = seen.certificate.problem
    if problem is not None and seen.issuer is not None:
        words = f"Routed; clients get certificate warnings until {seen.issuer} has issued another certificate: this one {problem}"
        return False, Reason.CERTIFICATE_INVALID, words
    if problem is not None:
        return False, Reason.CERTIFICATE_INVALID, f"Not routed: the certificate {problem}"
    until = f"{seen.certificate.expires_at:%Y-%m-%d}" if seen.certificate.expires_at else "?"
    return True, Reason.HOST_SERVED, f"Served with a certificate that is valid until {until}"


def is_routed(host: HostStatus, *, issued: bool) -> bool:
    """Whether requests for it are let in: a client must never get another host's certificate.

    `issued`: an issuer brings the certificate. Then there has to be a route, for its challenge comes that way, and it
    forgets a certificate whose Ingress is gone.
    """
    return host.ready or (issued and host.reason in _CERTIFICATE_AWAITED)
