"""The rules of EN 16931 over the data of an invoice, as the Factur-X association publishes them (Schematron)."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import facturx  # type: ignore[import-untyped]
from pypdf import PdfReader
from saxonche import PySaxonProcessor, PyXsltExecutable  # type: ignore[import-not-found]

_RULES = Path(facturx.__file__).parent / "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt"
_BROKEN = re.compile(r"<svrl:failed-assert.*?<svrl:text[^>]*>(.*?)</svrl:text>", re.DOTALL)


def data_in(pdf: bytes) -> bytes:
    """The XML that a document carries."""
    (content,) = PdfReader(BytesIO(pdf)).attachments["factur-x.xml"]
    return bytes(content)


@cache
def _compiled() -> tuple[PySaxonProcessor, PyXsltExecutable]:
    processor = PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES))


def broken(xml: bytes) -> list[str]:
    """Each rule that it breaks, in words; warnings too."""
    processor, rules = _compiled()
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    return [" ".join(found.split()) for found in _BROKEN.findall(report)]
