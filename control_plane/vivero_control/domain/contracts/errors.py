"""What can stand in the way of a quote or a contract."""

from typing import Final

from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.domain.contracts.schemas import QuoteState

_SAID: Final = {
    QuoteState.DRAFT: "It is a draft that was not sent.",
    QuoteState.SENT: "It was sent: what was offered stays as it is. Withdraw it and make another one.",
    QuoteState.ACCEPTED: "It was accepted.",
    QuoteState.DECLINED: "It was declined.",
    QuoteState.EXPIRED: "It was good until a day that has passed.",
    QuoteState.WITHDRAWN: "It was withdrawn.",
}


class ContractsOffError(ConflictError):
    """The settings do not say who sells, and how."""

    slug = "contracts-off"
    title = "Nothing is sold by contract"

    def __init__(self) -> None:
        super().__init__("Quotes need the company and its invoicing in the settings of the control plane.")


class QuoteNotFoundError(NotFoundError):
    """There is no quote of this number."""

    def __init__(self) -> None:
        super().__init__("There is no such quote.")


class ContractNotFoundError(NotFoundError):
    """There is no contract of this number."""

    def __init__(self) -> None:
        super().__init__("There is no such contract.")


class WrongQuoteStateError(ConflictError):
    """The quote is in a state in which this cannot be done."""

    slug = "wrong-state"
    title = "Not in this state"

    def __init__(self, state: QuoteState) -> None:
        super().__init__(_SAID[state])


class TermsChangedError(ConflictError):
    """Another version of the terms was shown than holds now."""

    slug = "terms-changed"
    title = "The terms have changed"

    def __init__(self) -> None:
        super().__init__("The terms have changed since they were shown. Read them once more, then accept.")


class AttachedAlreadyError(ConflictError):
    """The contract is for another Tenant."""

    slug = "attached-already"
    title = "Attached already"

    def __init__(self, tenant: str) -> None:
        super().__init__(f"The contract is for the tenant “{tenant}” already.")
