"""TLS settings of all adapters: TLS 1.3, a named certificate authority, the host name verified."""

import ssl
from functools import lru_cache

from vivero_core.errors import BackendMisconfiguredError


@lru_cache(maxsize=16)  # parsing an authority costs a millisecond; a platform has one or two
def client_context(authority: str) -> ssl.SSLContext:
    """A client's context that trusts only this certificate authority (PEM text).

    Raises:
        BackendMisconfiguredError: the text is no certificate.
    """
    # Bundles carry names of authorities as comments, in any script; Python takes ASCII alone.
    pem = authority.encode("ascii", "ignore").decode()
    if not pem.strip():
        # Python would trust every authority of the machine instead.
        raise BackendMisconfiguredError("tls", "the certificate authority is empty")
    try:
        context = ssl.create_default_context(cadata=pem)
    except ssl.SSLError as error:
        raise BackendMisconfiguredError("tls", "the certificate authority is not a PEM certificate") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
