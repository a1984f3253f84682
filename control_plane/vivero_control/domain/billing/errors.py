"""What can stand in the way of buying."""

from vivero_web.errors import ConflictError, NotFoundError, NotSignedInError, UnavailableError


class BillingOffError(NotFoundError):
    """This installation has no payment provider."""

    def __init__(self) -> None:
        super().__init__("Plans are not sold online here.")


class ProviderUnavailableError(UnavailableError):
    """The payment provider does not answer, or not in time."""

    def __init__(self) -> None:
        super().__init__("The payment provider does not answer at the moment. Nothing was charged. Try again shortly.")


class ProviderRefusedError(ConflictError):
    """The payment provider says no; its words are in the log, for they are for developers."""

    slug = "refused-by-the-provider"
    title = "Refused by the payment provider"

    def __init__(self, code: str = "") -> None:
        self.code = code
        super().__init__(f"The payment provider refused this{f' ({code})' if code else ''}. Nothing was charged.")


class SubscribedAlreadyError(ConflictError):
    """A second subscription for the same workspace."""

    slug = "subscribed-already"
    title = "Subscribed already"

    def __init__(self) -> None:
        super().__init__("This workspace has a subscription already. Change or cancel that one.")


class UnderContractError(ConflictError):
    """A subscription beside a contract would be paid twice."""

    slug = "under-contract"
    title = "Under contract"

    def __init__(self) -> None:
        super().__init__("A contract is in force for this workspace. Write to us if you want something else.")


class NothingBoughtError(ConflictError):
    """There is no customer at the provider yet."""

    slug = "nothing-bought"
    title = "Nothing bought yet"

    def __init__(self) -> None:
        super().__init__("Nothing was bought for this workspace yet.")


class ChangeNotPossibleError(ConflictError):
    """The plan cannot be changed so, or not now; the sentence says what comes first."""

    slug = "change-not-possible"
    title = "Not possible now"


class PauseChangedError(ConflictError):
    """The period has been renewed since a pause was looked at, so that it would begin later."""

    slug = "pause-changed"
    title = "The dates have changed"

    def __init__(self) -> None:
        super().__init__("The next period begins at another time than was shown. Look at the dates once more.")


class CostChangedError(ConflictError):
    """What was agreed to is not what it would cost any more."""

    slug = "cost-changed"
    title = "The cost has changed"

    def __init__(self) -> None:
        super().__init__("The cost has changed since it was shown, or it was shown too long ago. Look at it once more.")


class SignatureError(NotSignedInError):
    """A message to our address for webhooks that the provider has not signed, or not just now."""

    title = "Not signed by the payment provider"

    def __init__(self) -> None:
        super().__init__("The signature is missing, wrong, or too old.")
