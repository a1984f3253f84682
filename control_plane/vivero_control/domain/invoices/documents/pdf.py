"""An invoice as people read it: A4, PDF/A-3 with the XML beside it, as Factur-X and ZUGFeRD want it."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import ttf_opensans  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from vivero_control.domain.contracts.schemas import Vat
from vivero_control.domain.invoices.content import Content, Kind, Party
from vivero_control.domain.invoices.documents.xml import amount, xml_of

FILE_NAME: Final = "factur-x.xml"
"""As Factur-X 1.0 and ZUGFeRD 2 name it."""
_FONT: Final = "Open Sans"
_MUTED: Final = (95, 95, 90)
_LINE: Final = (205, 205, 200)
_LEFT: Final = 20.0
_WIDTH: Final = 170.0
_TITLES: Final = {Kind.INVOICE: "Invoice", Kind.CREDIT_NOTE: "Credit note"}
_TAX: Final = {
    Vat.STANDARD: "VAT {rate} %",
    Vat.REVERSE_CHARGE: "VAT: reverse charge, the customer owes the tax",
    Vat.OUTSIDE: "Not subject to VAT in the country of the seller",
}


class _Page(FPDF):
    """With the seller and the number of the page at the foot of each."""

    def __init__(self, content: Content) -> None:
        super().__init__(format="A4", enforce_compliance="PDF/A-3U")
        self._content = content
        fonts = Path(ttf_opensans.__file__).parent / "ttf"
        self.add_font(_FONT, "", fonts / "OpenSans-Regular.ttf")
        self.add_font(_FONT, "B", fonts / "OpenSans-SemiBold.ttf")
        self.set_margins(_LEFT, 20, 210 - _LEFT - _WIDTH)
        self.set_auto_page_break(auto=True, margin=32)
        self.set_font(_FONT, size=10)

    def footer(self) -> None:
        """Called by the library for each page."""
        seller = self._content.seller
        self.set_y(-26)
        self.set_font(_FONT, size=8)
        self.set_text_color(*_MUTED)
        where = ", ".join([seller.name, *seller.address])
        bank = " · ".join(filter(None, [f"IBAN {_grouped(self._content.iban)}", self._content.bic, seller.tax_id]))
        for words in (where, bank, f"{self._content.number} · page {self.page_no()} of {{nb}}"):
            self.multi_cell(_WIDTH, 4, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(0)

    def line_of(self, words: str, *, size: float = 10, bold: bool = False, muted: bool = False) -> None:
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*(_MUTED if muted else (0, 0, 0)))
        self.multi_cell(_WIDTH, size * 0.52, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def pdf_of(content: Content) -> bytes:
    """The document of an invoice. The same content gives the same bytes.

    Raises lxml's XMLSyntaxError where the data does not fit the schema.
    """
    page = _Page(content)
    moment = datetime.combine(content.issued_on, time(), UTC)
    title = f"{_TITLES[content.kind]} {content.number}"
    page.set_title(title)
    page.set_author(content.seller.name)
    page.set_lang("en")
    page.set_creation_date(moment)
    page.set_xmp_metadata(_metadata(title, content.seller.name, moment))
    page.add_page()
    _head(page, content, title)
    _lines(page, content)
    _sums(page, content)
    _terms(page, content)
    page.embed_file(
        bytes=xml_of(content),
        basename=FILE_NAME,
        desc="The data of the invoice (EN 16931)",
        mime_type="text/xml",
        associated_file_relationship="Alternative",
        creation_date=moment,
        modification_date=moment,
        compress=True,
    )
    return bytes(page.output())


def _head(page: _Page, content: Content, title: str) -> None:
    page.line_of(content.seller.name, size=12, bold=True)
    page.ln(12)
    for line in _address(content.buyer):
        page.line_of(line)
    page.ln(12)
    page.line_of(title, size=18, bold=True)
    page.ln(3)
    facts = [
        ("Date", _day(content.issued_on)),
        ("Period", f"{_day(content.period_from)} to {_day(content.period_to)}"),
        ("Contract", str(content.contract)),
        ("Your order", content.order_number),
        ("Your VAT id", content.buyer.tax_id),
        ("Takes back", content.corrects),
    ]
    for name, words in facts:
        if words:
            page.set_text_color(*_MUTED)
            page.set_font(_FONT, size=10)
            page.cell(32, 5.6, name)
            page.set_text_color(0)
            page.multi_cell(_WIDTH - 32, 5.6, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(6)


def _lines(page: _Page, content: Content) -> None:
    page.set_draw_color(*_LINE)
    page.set_font(_FONT, size=10)
    with page.table(
        width=int(_WIDTH),
        col_widths=(86, 22, 31, 31),
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=5.4,
        padding=(1.6, 1, 1.6, 1),
    ) as table:
        row = table.row()
        for words in ("What", "Quantity", "Price of one", "Total"):
            row.cell(words)
        for line in content.lines:
            row = table.row()
            for words in (line.text, f"{line.quantity:,}", _plain(line.unit_cents), _plain(line.cents)):
                row.cell(words)


def _sums(page: _Page, content: Content) -> None:
    totals, unit = content.totals, content.currency.value
    rate = f"{Decimal(totals.rate) / 100:f}".rstrip("0").rstrip(".") if totals.rate else "0"
    page.ln(3)
    rows = [
        ("Net", totals.net_cents, False),
        (_TAX[totals.vat].format(rate=rate), totals.vat_cents, False),
        ("To be paid" if content.kind is Kind.INVOICE else "Credited", totals.total_cents, True),
    ]
    for words, cents, bold in rows:
        page.set_font(_FONT, "B" if bold else "", 11 if bold else 10)
        page.cell(_WIDTH - 42, 6.4, words, align="R")
        page.cell(42, 6.4, f"{unit} {_plain(cents)}", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _terms(page: _Page, content: Content) -> None:
    page.ln(8)
    if content.kind is Kind.INVOICE:
        account = f"IBAN {_grouped(content.iban)}" + (f", BIC {content.bic}" if content.bic else "")
        page.line_of(f"Please pay by {_day(content.due_on)} to {account}, with {content.number} as the reference.")
    else:
        page.line_of(f"This takes back invoice {content.corrects} as a whole.")
    page.ln(2)
    page.line_of(
        "The data of this document is embedded in it, as EN 16931 has it (Factur-X, ZUGFeRD).", size=8, muted=True
    )


def _address(party: Party) -> list[str]:
    return [party.name, *party.address, party.country]


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _plain(cents: int) -> str:
    return f"{amount(cents):,.2f}"


def _grouped(iban: str) -> str:
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def _metadata(title: str, author: str, moment: datetime) -> str:
    """XMP: what PDF/A wants, and the namespace of Factur-X 1.0 with its description, without which PDF/A refuses it."""
    properties = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{words}</pdfaProperty:description></rdf:li>"
        for name, words in (
            ("DocumentFileName", "name of the embedded XML file"),
            ("DocumentType", "INVOICE"),
            ("Version", "version of the data"),
            ("ConformanceLevel", "profile of the data"),
        )
    )
    when = moment.isoformat(timespec="seconds")
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
 xmp:CreateDate="{when}" xmp:ModifyDate="{when}" xmp:MetadataDate="{when}">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq></dc:creator>
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{FILE_NAME}</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF></x:xmpmeta>"""
