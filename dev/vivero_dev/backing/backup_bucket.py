"""The bucket that backups go to, and the account that alone opens it. No tenant's account can."""

from pathlib import Path

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.transport import Call, Endpoint, Transport

from vivero_dev.backing.accounts import Account
from vivero_dev.backing.object_store import REGION

BUCKET = "vivero-backups"


def ensure_backup_bucket(endpoint: str, admin: Account, owner: Account, authority: Path) -> bool:
    """Make both, unless they are there; whether they were made. Raises BackendError if the server refuses."""
    transport = Transport(Endpoint(endpoint, REGION, authority.read_text()))
    login, administrator = Credentials(owner.username, owner.password), Credentials(admin.username, admin.password)
    try:
        if transport.signed(Call("HEAD", f"/{BUCKET}"), login).ok:
            return False
        known = transport.signed(Call("GET", "/"), login)
        if not known.ok:
            made = transport.signed(Call("PATCH", "/create-user", documents.account(login)), administrator)
            made.raise_for(f"create account {owner.username}")
        bucket = Call("PATCH", f"/{BUCKET}/create", headers={"x-vgw-owner": owner.username})
        transport.signed(bucket, administrator).raise_for(f"create bucket {BUCKET}")
    finally:
        transport.close()
    return True
