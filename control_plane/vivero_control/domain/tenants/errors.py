"""What can stand in the way of reading or changing a Tenant."""

import re
from typing import Final

from vivero_control.errors import (
    ConflictError,
    ControlPlaneError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)

_CAUSE: Final = re.compile(
    r"spec\.(?P<field>[A-Za-z.]+): (?:Invalid value: (?:\"(?:[^\"\\]|\\.)*\"|\S+?): )?(?P<why>[^,\]]+)"
)


class ClusterUnavailableError(UnavailableError):
    """The Kubernetes API does not answer, or not in time."""

    def __init__(self) -> None:
        super().__init__("The cluster does not answer at the moment. Try again shortly.")


class TenantNotFoundError(NotFoundError):
    """There is no Tenant of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no tenant “{name}”.")


class TenantChangedError(ConflictError):
    """Someone changed it since it was read."""

    title = "Changed meanwhile"

    def __init__(self, name: str) -> None:
        super().__init__(f"The tenant “{name}” was changed meanwhile. Look at its new state and decide again.")


class WrongStateError(ConflictError):
    """The order makes no sense for the tenant as it is."""

    title = "Not possible in this state"


class TenantRefusedError(InvalidInputError):
    """The API server's own rules say no; `errors` names the field of the spec."""

    @classmethod
    def saying(cls, message: str) -> "TenantRefusedError":
        """From the server's words, for example `… is invalid: spec.slug: Invalid value: "x": this slug is reserved`."""
        causes = [FieldError(found["field"], found["why"].strip()) for found in _CAUSE.finditer(message)]
        sentence = "; ".join(cause.message for cause in causes) or "The cluster's rules do not allow this."
        return cls(sentence, errors=causes)


class NoWorkspaceError(NotFoundError):
    """No workspace has this host name."""

    title = "No workspace"


class NotRunningError(ControlPlaneError):
    """The workspace of this host name is there and does not run."""

    status = 503
    title = "Workspace not available"

    def __init__(self, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)} if retry_after else None)
