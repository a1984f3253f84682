"""What invoices say and when they are due: properties over terms, days and letters."""

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import drafthorse  # type: ignore[import-untyped]
import msgspec
import pytest
import ttf_opensans  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]
from support.invoice_rules import broken, data_in
from unit.control_plane.contract_builders import line, terms
from vivero_control.domain.contracts import policies as contract_policies
from vivero_control.domain.contracts.schemas import Vat
from vivero_control.domain.invoices import policies
from vivero_control.domain.invoices.content import REFUSED, Content, Kind
from vivero_control.domain.invoices.documents.pdf import pdf_of
from vivero_control.domain.invoices.documents.xml import three_lines, xml_of
from vivero_control.domain.invoices.jobs import PROGRAM
from vivero_control.domain.invoices.schemas import InvoiceState
from vivero_control.lib.printing import PRINTED, unprintable
from vivero_control.settings import CompanySettings, InvoicingSettings

DAY: Final = date(2026, 12, 1)
SELLER: Final = InvoicingSettings.model_validate(
    {"country": "DE", "vat_rate": "19.5", "iban": "DE89370400440532013000"}
)
COMPANY: Final = CompanySettings(
    name="Vivero GmbH", address="Gartenweg 1\n10115 Berlin", email="hello@vivero.example", vat_id="DE123456789"
)
BUYERS: Final = (("DE", "", Vat.STANDARD), ("FR", "FR12345678901", Vat.REVERSE_CHARGE), ("US", "", Vat.OUTSIDE))
LETTERS: Final = st.sampled_from([chr(code) for first, last in PRINTED for code in range(first, last + 1)])
WORDS: Final = st.text(LETTERS, min_size=1, max_size=60).map(lambda text: " ".join(text.split())).filter(bool)
LINES: Final = st.lists(
    st.builds(line, st.integers(0, 10**7), st.integers(1, 10**4), WORDS), min_size=1, max_size=20
).map(tuple)


def invoice(**changes: Any) -> Content:  # noqa: ANN401  any field of the terms
    of = terms(**changes)
    return policies.content("2026-0001", 7, of, contract_policies.periods(of)[0], COMPANY, SELLER, DAY)


def texts(xml: bytes, name: str) -> list[str]:
    return [str(one.text) for one in etree.fromstring(xml).iter(f"{{*}}{name}")]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.sampled_from(BUYERS), WORDS, st.sampled_from(Kind))
def test_no_rule_of_the_standard_is_broken_and_its_sums_are_ours(
    lines: tuple[Any, ...], buyer: tuple[str, str, Vat], words: str, kind: Kind
) -> None:
    country, tax_id, vat = buyer
    content = invoice(lines=lines, country=country, tax_id=tax_id, company=words, address=f"{words}\n{words}")
    assert content.totals.vat is vat
    if kind is Kind.CREDIT_NOTE:
        content = policies.credit_note("2026-0002", content, DAY + timedelta(days=3))
    xml = xml_of(content)
    assert broken(xml) == []
    sums = [Decimal(text) for text in texts(xml, "LineTotalAmount")]
    assert sum(sums[:-1]) == sums[-1] == Decimal(sum(one.cents for one in lines)).scaleb(-2)
    (total,) = texts(xml, "GrandTotalAmount")
    assert Decimal(total) * 100 == content.totals.total_cents
    assert words in texts(xml, "Name")


def test_the_rules_find_a_wrong_sum() -> None:
    wrong = xml_of(invoice()).replace(b"<ram:GrandTotalAmount>24000.00", b"<ram:GrandTotalAmount>24000.01")
    assert any("BR-CO-15" in one for one in broken(wrong))


def test_the_same_invoice_is_the_same_document_which_carries_its_data() -> None:
    content = invoice()
    pdf = pdf_of(content)
    assert pdf == pdf_of(content)
    assert data_in(pdf) == xml_of(content)
    for words in (b"pdfaid:part>3<", b"pdfaid:conformance>U<", b"ConformanceLevel>EN 16931<", b"/AFRelationship"):
        assert words in pdf, words


def test_it_is_made_by_a_process_of_its_own_which_refuses_what_its_font_lacks() -> None:
    def run(content: Content) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", PROGRAM]
        return subprocess.run(command, input=msgspec.json.encode(content), capture_output=True, check=False, timeout=60)  # noqa: S603  ours

    content = invoice(company="Ελλάδα & Київ <b>")
    made = run(content)
    assert (made.returncode, made.stdout) == (0, pdf_of(content)), made.stderr
    refused = run(invoice(company="株式会社"))
    assert (refused.returncode, refused.stdout) == (REFUSED, b"")
    assert "株式会社" in refused.stderr.decode()


def test_the_font_has_what_we_say_and_the_schema_is_there() -> None:
    fonts = Path(ttf_opensans.__file__).parent / "ttf"
    for name in ("OpenSans-Regular.ttf", "OpenSans-SemiBold.ttf"):
        has = set(TTFont(fonts / name).getBestCmap())
        assert [chr(code) for first, last in PRINTED for code in range(first, last + 1) if code not in has] == []
    assert list((Path(drafthorse.__file__).parent / "schema").glob("*EN16931.xsd"))
    assert unprintable("a\nß株Ωж株😀") == "株😀"


def test_a_quote_with_letters_that_no_invoice_shows_is_refused() -> None:
    wrong = contract_policies.problems(terms(company="株式会社", lines=(line(text="العمل"),)), DAY)
    assert {one.field for one in wrong} == {"company", "lines"}


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_no_line_of_an_address_is_lost(lines: list[str]) -> None:
    found = three_lines(lines)
    assert len(found) <= 3
    assert ", ".join(found) == ", ".join(lines)


@given(st.integers(1, 5), st.sampled_from([1, 3, 6, 12]), st.integers(-40, 2500))
def test_every_period_that_has_begun_is_due_once(count: int, months: int, days: int) -> None:
    of = terms(term_months=count * months, period_months=months)
    today = of.starts_on + timedelta(days=days)
    due = policies.missing(of, (), today)
    assert due == [period for period in contract_policies.periods(of) if period[0] <= today]
    assert policies.missing(of, {first for first, _ in due}, today) == []
    assert policies.missing(of, {first for first, _ in due[1:]}, today) == due[:1]


@given(st.integers(-5, 200), st.none() | st.sampled_from(policies.REMINDERS))
def test_a_reminder_comes_once_and_the_last_one_alone(late: int, told: int | None) -> None:
    due = policies.reminder(DAY, told, DAY + timedelta(days=late))
    if due is None:
        assert not [days for days in policies.REMINDERS if days <= late and days > (told or 0)]
    else:
        assert due <= late
        assert told is None or due > told
        assert policies.reminder(DAY, due, DAY + timedelta(days=late)) is None


@pytest.mark.parametrize(
    ("paid", "taken_back", "days", "state"),
    [
        (False, False, 0, InvoiceState.OPEN),
        (False, False, 1, InvoiceState.LATE),
        (True, False, 1, InvoiceState.PAID),
        (True, True, 1, InvoiceState.TAKEN_BACK),
        (False, True, 1, InvoiceState.TAKEN_BACK),
    ],
)
def test_where_it_stands(*, paid: bool, taken_back: bool, days: int, state: InvoiceState) -> None:
    content = invoice()
    today = content.due_on + timedelta(days=days)
    found = policies.state_on(content.kind, content.due_on, DAY if paid else None, taken_back=taken_back, today=today)
    assert found is state
    owed = policies.unpaid([(content, DAY if paid else None, taken_back)], today)
    assert [one.open_cents for one in owed] == ([2_400_000] if state in policies.UNPAID else [])
    assert [one.late_cents for one in owed] == (
        [2_400_000 if state is InvoiceState.LATE else 0] if state in policies.UNPAID else []
    )


def test_who_invoices_names_their_vat_id() -> None:
    with pytest.raises(ValueError, match="vat_id"):
        CompanySettings(name="x", address="y", email="a@example.com", invoicing=SELLER)
