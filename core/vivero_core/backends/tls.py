"""The one way Vivero's adapters trust a server: TLS 1.3, a named authority, the host name checked."""

import ssl
from functools import lru_cache


@lru_cache(maxsize=16)  # parsing an authority costs a millisecond; a platform has one or two
def client_context(authority: str) -> ssl.SSLContext:
    """A client's context that trusts only this certificate authority (PEM text)."""
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
