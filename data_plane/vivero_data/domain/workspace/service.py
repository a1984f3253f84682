"""Stores the workspace's identity and applies its owner, in one transaction; idempotent."""

from typing import Final

import msgspec
from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH, is_display_name
from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.identity import service as identities
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.owner import service as owners
from vivero_data.domain.owner.service import OwnerAccount, OwnerState
from vivero_data.settings import PublicUrl, WorkspaceName


class WorkspaceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The desired identity and owner; without an owner the accounts stay as they are."""

    name: WorkspaceName
    public_url: PublicUrl
    owner: OwnerAccount | None = None

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.public_url)


class WorkspaceState(msgspec.Struct, frozen=True):
    """What is stored now; `owner` is the account with the requested address, else the current owner's, if any."""

    workspace: Identity
    owner: OwnerState | None


# The same rule as in the Tenant's CRD: what that accepts is never refused here.
_NO_NAME: Final = f"Use 1 to {DISPLAY_NAME_MAX_LENGTH} characters, no control characters, and no space around them."


class WorkspaceService:
    """Called by the operator when a spare is claimed, and when a name, an address or the owner changes."""

    def __init__(self, database: Database, identity: IdentityService) -> None:
        self._database = database
        self._identity = identity

    async def configure(self, settings: WorkspaceSettings) -> WorkspaceState:
        """Store name and address, and apply the owner.

        Raises:
            InvalidInputError: naming every field at fault.
        """
        errors = problems_with(settings)
        if errors:
            raise InvalidInputError.of_all(errors)
        try:
            async with self._database.transaction() as tx:
                await _save_identity(tx, settings.identity)
                owner = await (owners.apply(tx, settings.owner) if settings.owner else owners.first(tx))
        finally:
            # Even after an error: the commit may have succeeded although its response was lost.
            self._identity.invalidate()
        return WorkspaceState(settings.identity, owner)


async def _save_identity(tx: Connection, identity: Identity) -> None:
    before = await identities.select(tx)
    if before == identity:
        return
    await identities.save(tx, identity)
    if before is not None:
        old, new = ({"name": one.name, "public_url": one.public_url} for one in (before, identity))
        await record(tx, None, "workspace.update", identity.name, before=old, after=new)


def problems_with(settings: WorkspaceSettings) -> list[FieldError]:
    """Validation beyond the types."""
    owner = owners.problems_with(settings.owner) if settings.owner else []
    return [
        *([] if is_display_name(settings.name) else [FieldError("name", _NO_NAME)]),
        *(FieldError(f"owner.{error.field}", error.message) for error in owner),
    ]
