"""A company's tax ids at the payment provider: seen, added and removed, under the lock on the customer's row."""

from typing import Final

from vivero_core.model.tenant import Tenant
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_control.domain.billing.errors import ProviderRefusedError
from vivero_control.domain.billing.held import HeldSubscriptions
from vivero_control.domain.billing.provider import TAX_ID_INVALID, TAX_ID_KINDS, TaxId
from vivero_control.domain.billing.service import BillingService

VALUE_MAX: Final = 40
"""Characters, of every kind."""
MOST: Final = 5
"""Of one customer; the provider has them on each invoice."""


class TaxIds:
    """`by` is who does it, as the audit log names them."""

    def __init__(self, held: HeldSubscriptions, billing: BillingService) -> None:
        self._held = held
        self._billing = billing

    async def all(self, tenant: Tenant) -> tuple[TaxId, ...]:
        """Raises NothingBoughtError before the first order, UnavailableError."""
        provider = self._held.provider()
        return await provider.tax_ids(await self._billing.customer_of(tenant))

    async def add(self, tenant: Tenant, kind: str, typed: str, by: str) -> None:
        """The provider says whether it has the form of its kind.

        Raises:
            InvalidInputError: naming `kind` or `value`.
            ConflictError: there are MOST already, or this one is among them.
            UnavailableError: the provider does not answer.
        """
        value = " ".join(typed.split()).upper()
        if kind not in TAX_ID_KINDS:
            raise InvalidInputError.of("kind", "Choose what kind of number it is.")
        if not value or len(value) > VALUE_MAX:
            raise InvalidInputError.of("value", f"Must have 1 to {VALUE_MAX} characters.")
        async with self._held.hold(tenant, by, "add-tax-id", f"{TAX_ID_KINDS[kind]}.") as held:
            present = await held.provider.tax_ids(held.customer)
            if len(present) >= MOST:
                raise ConflictError(f"There are {MOST} already. Remove one first.")
            if any((one.kind, one.value) == (kind, value) for one in present):
                raise ConflictError("This one is there already.")
            try:
                await held.provider.add_tax_id(held.customer, kind, value)
            except ProviderRefusedError as error:
                if error.code != TAX_ID_INVALID:
                    raise
                raise InvalidInputError.of("value", f"This is no {TAX_ID_KINDS[kind]}.") from error

    async def remove(self, tenant: Tenant, name: str, by: str) -> None:
        """Later invoices do not have it.

        Raises:
            InvalidInputError: naming `id` when it is none of this customer's.
            UnavailableError: the provider does not answer.
        """
        async with self._held.hold(tenant, by, "remove-tax-id", "Invoices are written without it from now on.") as held:
            if name not in {one.id for one in await held.provider.tax_ids(held.customer)}:
                raise InvalidInputError.of("id", "It is not there any more.")
            await held.provider.remove_tax_id(held.customer, name)
