"""What can stand in the way of an invoice."""

from typing import Final

from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.domain.invoices.schemas import InvoiceState

_SAID: Final = {
    InvoiceState.OPEN: "It is not paid.",
    InvoiceState.LATE: "It is not paid.",
    InvoiceState.PAID: "It is paid already. Take the payment out first if that was wrong.",
    InvoiceState.TAKEN_BACK: "A credit note has taken it back.",
    InvoiceState.CREDIT_NOTE: "It is a credit note.",
}


class InvoiceNotFoundError(NotFoundError):
    """There is no invoice of this number, or not for who asks."""

    def __init__(self) -> None:
        super().__init__("There is no such invoice.")


class DocumentNotMadeError(ConflictError):
    """The document of the invoice is still being made."""

    slug = "document-not-made"
    title = "Not made yet"

    def __init__(self) -> None:
        super().__init__("The document is being made. Try again in a minute.")


class WrongInvoiceStateError(ConflictError):
    """The invoice is in a state in which this cannot be done."""

    slug = "wrong-invoice-state"
    title = "Not in this state"

    def __init__(self, state: InvoiceState) -> None:
        super().__init__(_SAID[state])
