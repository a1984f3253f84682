"""What can stand in the way of reading or changing a Tenant."""

from collections.abc import Iterable

from vivero_core.backends.kube.errors import Cause
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, NotFoundError, UnavailableError


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

    slug = "changed-meanwhile"
    title = "Changed meanwhile"

    def __init__(self, name: str) -> None:
        super().__init__(f"The tenant “{name}” was changed meanwhile. Look at its new state and decide again.")


class WrongStateError(ConflictError):
    """The action makes no sense in the tenant's present state."""

    slug = "not-possible-in-this-state"
    title = "Not possible in this state"


class TenantRefusedError(InvalidInputError):
    """The API server's own rules say no; `errors` names the field of the spec."""

    @classmethod
    def because(cls, causes: Iterable[Cause]) -> "TenantRefusedError":
        """From the server's own list; a rule of the whole platform names no field."""
        known = tuple(causes)
        sentence = " ".join(_closed(cause.message) for cause in known) or "The cluster's rules do not allow this."
        fields = [FieldError(cause.field.removeprefix("spec."), cause.message) for cause in known if cause.field]
        return cls(sentence, errors=fields)


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


class TenantUnreadableError(ConflictError):
    """It is there, and holds something that this program cannot read."""

    slug = "unreadable"
    title = "Unreadable"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"The tenant “{name}” cannot be read, so it cannot be changed here: {why}. Correct it with kubectl."
        )
