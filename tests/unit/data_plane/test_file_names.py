import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.files.names import content_disposition, safe_media_type, safe_name

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\secret\\plan.doc", "plan.doc"),
        ("", "file"),
        ("..", "file"),
        ("a\x00b\r\nc", "abc"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("Größe 🌱.txt", "Größe 🌱.txt"),
        ("کتاب\u200cخانه.pdf", "کتاب\u200cخانه.pdf"),
        ("ශ්\u200dරී.pdf", "ශ්\u200dරී.pdf"),
        ("👩\u200d💻.png", "👩\u200d💻.png"),
        ("in\u200cvoice.pdf", "invoice.pdf"),
        ("x" * 300, "x" * 255),
        ("x" * 253 + "👩\u200d💻", "x" * 253 + "👩"),
        ("ᠰᠠᠷ\u180eᠠ.txt", "ᠰᠠᠷ\u180eᠠ.txt"),
        ("\u3164.txt", "txt"),
        (f"{SCOTLAND}.png", f"{SCOTLAND}.png"),
    ],
)
def test_names_are_made_harmless(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text(max_size=20), st.integers(0, 260))
def test_a_harmless_name_stays_as_it_is(name: str, padding: int) -> None:
    kept = safe_name("x" * padding + name)
    assert safe_name(kept) == kept


@given(st.text())
def test_no_name_leaves_its_header(name: str) -> None:
    header = content_disposition(safe_name(name))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert header.startswith("attachment; ")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("", "application/octet-stream"),
        ("text/html\r\nx: y", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("a/" + "b" * 200, "application/octet-stream"),
    ],
)
def test_media_types_are_checked(sent: str, kept: str) -> None:
    assert safe_media_type(sent) == kept
