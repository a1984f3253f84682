"""How who owns a customer's own host is proven: a TXT record that only who writes into its zone can publish."""

import base64
import hashlib
from typing import Final

RECORD: Final = "_vivero"
"""Label below a host at which its TXT record is looked for."""
HOSTS_MAX: Final = 10
"""Of one Tenant."""
_TOKEN_LENGTH: Final = 32


def record_name(host: str) -> str:
    return f"{RECORD}.{host}"


def record_value(tenant_uid: str, host: str) -> str:
    """What the record has to say. No secret: it proves nothing for another Tenant, nor for another host."""
    digest = hashlib.sha256(f"vivero host {tenant_uid} {host}".encode()).digest()
    return f"vivero-verification={base64.b32encode(digest).decode().lower()[:_TOKEN_LENGTH]}"
