"""The data of an invoice as EN 16931 has it: Cross Industry Invoice, as Factur-X and ZUGFeRD embed it. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from drafthorse.models.accounting import ApplicableTradeTax  # type: ignore[import-untyped]
from drafthorse.models.document import Document  # type: ignore[import-untyped]
from drafthorse.models.party import TaxRegistration  # type: ignore[import-untyped]
from drafthorse.models.payment import PaymentMeans, PaymentTerms  # type: ignore[import-untyped]
from drafthorse.models.tradelines import LineItem  # type: ignore[import-untyped]

from vivero_control.domain.contracts.schemas import QuoteLine, Vat
from vivero_control.domain.invoices.content import Content, Kind, Party

PROFILE: Final = "urn:cen.eu:en16931:2017"
_SCHEMA: Final = "FACTUR-X_EN16931"
_CREDIT_TRANSFER: Final = "58"
"""SEPA credit transfer (UNTDID 4461)."""
_PIECE: Final = "C62"
"""One (UN/ECE Recommendation 20)."""
_EXEMPT: Final = {
    Vat.REVERSE_CHARGE: ("Reverse charge: the customer owes the tax.", "VATEX-EU-AE"),
    Vat.OUTSIDE: ("Not subject to VAT in the country of the seller.", "VATEX-EU-O"),
}
"""Reason in words, and its code in the list of the European Commission (VATEX)."""


def xml_of(content: Content) -> bytes:
    """The XML, validated against the schema of the profile EN 16931. Raises lxml's XMLSyntaxError if it does not fit."""
    document = Document()
    document.context.guideline_parameter.id = PROFILE
    document.header.id = content.number
    document.header.type_code = content.kind.value
    document.header.issue_date_time = content.issued_on
    vat = content.totals.vat
    _party(document.trade.agreement.seller, content.seller, with_tax_id=vat is not Vat.OUTSIDE)
    _party(document.trade.agreement.buyer, content.buyer, with_tax_id=vat is not Vat.OUTSIDE)
    if content.order_number:
        document.trade.agreement.buyer_order.issuer_assigned_id = content.order_number
    document.trade.agreement.contract.issuer_assigned_id = str(content.contract)
    for position, line in enumerate(content.lines, 1):
        document.trade.items.add(_line(position, line, vat, content.totals.rate))
    document.trade.delivery.event.occurrence = content.period_to
    _settlement(document.trade.settlement, content)
    serialized: bytes = document.serialize(schema=_SCHEMA)
    return serialized


def _party(target: Any, party: Party, *, with_tax_id: bool) -> None:  # noqa: ANN401  drafthorse has no types
    target.name = party.name
    for name, line in zip(("line_one", "line_two", "line_three"), three_lines(party.address), strict=False):
        setattr(target.address, name, line)
    target.address.country_id = party.country
    target.electronic_address.uri_ID = ("EM", party.email)
    if party.tax_id and with_tax_id:
        target.tax_registrations.add(TaxRegistration(id=("VA", party.tax_id)))
    elif party.tax_id:
        target.id = party.tax_id  # BR-O-02 wants no VAT id of either, BR-CO-26 wants the seller told from others


def three_lines(address: Sequence[str]) -> list[str]:
    """The lines of an address in the three that there are, the last ones in one."""
    return [*address[:2], *([", ".join(address[2:])] if len(address) > 2 else [])]  # noqa: PLR2004  and one more


def _line(position: int, line: QuoteLine, vat: Vat, rate: int) -> LineItem:
    item = LineItem()
    item.document.line_id = str(position)
    item.product.name = line.text
    item.agreement.net.amount = amount(line.unit_cents)
    item.delivery.billed_quantity = (Decimal(line.quantity), _PIECE)
    _tax(item.settlement.trade_tax, vat, rate)
    item.settlement.monetary_summation.total_amount = amount(line.cents)
    return item


def _tax(target: Any, vat: Vat, rate: int) -> None:  # noqa: ANN401  drafthorse has no types
    target.type_code = "VAT"
    target.category_code = vat.value
    if vat is not Vat.OUTSIDE:  # BR-O-05: there is no rate then
        target.rate_applicable_percent = Decimal(rate) / 100


def _settlement(target: Any, content: Content) -> None:  # noqa: ANN401  drafthorse has no types
    totals = content.totals
    target.payment_reference = content.number
    target.currency_code = content.currency.value
    means = PaymentMeans()
    means.type_code = _CREDIT_TRANSFER
    means.payee_account.iban = content.iban
    means.payee_account.account_name = content.seller.name
    if content.bic:
        means.payee_institution.bic = content.bic
    target.payment_means.add(means)
    tax = ApplicableTradeTax()
    tax.calculated_amount = amount(totals.vat_cents)
    tax.basis_amount = amount(totals.net_cents)
    _tax(tax, totals.vat, totals.rate)
    if totals.vat in _EXEMPT:
        tax.exemption_reason, tax.exemption_reason_code = _EXEMPT[totals.vat]
    target.trade_tax.add(tax)
    target.period.start, target.period.end = content.period_from, content.period_to
    terms = PaymentTerms()
    terms.due = content.due_on
    target.terms.add(terms)
    sums = target.monetary_summation
    sums.line_total = sums.tax_basis_total = amount(totals.net_cents)
    sums.charge_total = sums.allowance_total = Decimal("0.00")
    sums.tax_total = (amount(totals.vat_cents), content.currency.value)
    sums.grand_total = sums.due_amount = amount(totals.total_cents)
    if content.kind is Kind.CREDIT_NOTE:
        _reference(target.invoice_referenced_document, content.corrects, content.corrects_of)


def _reference(target: Any, number: str, day: date | None) -> None:  # noqa: ANN401  drafthorse has no types
    target.issuer_assigned_id = number
    if day is not None:
        target.issue_date_time = day


def amount(cents: int) -> Decimal:
    """Of the currency, with two decimals."""
    return Decimal(cents).scaleb(-2)
