"""An invoice's content as JSON on stdin, its document on stdout; exit code REFUSED if a document cannot say it."""

import sys

import msgspec

from vivero_control.domain.invoices.content import REFUSED, Content
from vivero_control.domain.invoices.documents.pdf import pdf_of
from vivero_control.lib.printing import unprintable


def main() -> int:
    """Returns the exit code."""
    content = msgspec.json.decode(sys.stdin.buffer.read(), type=Content)
    parties = (content.seller, content.buyer)
    texts = [content.order_number, *(line.text for line in content.lines)]
    texts += [text for party in parties for text in (party.name, *party.address, party.tax_id)]
    if missing := unprintable("".join(texts)):
        sys.stderr.write(f"The font of invoices lacks these characters: {missing}\n")
        return REFUSED
    sys.stdout.buffer.write(pdf_of(content))
    return 0


if __name__ == "__main__":
    sys.exit(main())
