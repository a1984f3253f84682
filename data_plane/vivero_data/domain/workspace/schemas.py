"""What the operator says, and what it is answered."""

import msgspec

from vivero_data.domain.identity.schemas import Identity
from vivero_data.domain.owner.schemas import OwnerAccount, OwnerState
from vivero_data.settings import PublicUrl, WorkspaceName


class Introduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who the workspace is, and who should own it; without an owner the accounts stay as they are."""

    name: WorkspaceName
    public_url: PublicUrl
    owner: OwnerAccount | None = None

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.public_url)


class WorkspaceState(msgspec.Struct, frozen=True):
    """What is stored now; `owner` is the account of the address that was named, else the first owner's, if any."""

    workspace: Identity
    owner: OwnerState | None
