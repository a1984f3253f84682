"""What people call themselves, in every script, and the passwords they choose."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from vivero_core.model import naming
from vivero_web.text import (
    PASSWORD_MAX,
    PASSWORD_MIN,
    PERSON_MAX,
    company_problem,
    email_problem,
    name_problem,
    password_problem,
    tidy,
    unseen,
    whole_number,
)


@given(st.integers(0, 10**18 - 1))
def test_a_whole_number_is_read(number: int) -> None:
    assert whole_number(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "\u0661", "\u00b2", "1_000", "9" * 19, "9" * 5000, "1\n"]
)
def test_what_is_none_is_not(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize(
    "name",
    [
        'O\'Brien & Sons "Ltd"',
        "`; DROP TABLE x",
        "100% *..__",
        "株式会社",
        "شركة",
        "Ünïcode Ñandú",
        "Nguyễn Thị Ệ",
        "Rocket 🚀 Labs",
        "บริษัท น้ำใจ",
        "মিষ্টি",
        "ကုမ္ပဏီ",
        "ក្រុមហ៊ុន",
        "கம்பெனி",
        "x",
        # Joiners, where their scripts are written with them.
        "کتاب\u200cخانه",  # Persian
        "ه\u200d.ق.",  # a Persian abbreviation
        "مُ\u200cن",  # beside a vowel mark
        "ශ්\u200dරී ලංකා",  # Sinhala
        "র\u200d্যাব",  # Bengali: before the vowel killer
        "क्\u200cष",  # Hindi, shown unjoined
        "ന്\u200d",  # Malayalam, at the end
        "Team 👩\u200d💻",
        "👩🏽\u200d🚀 Space",
        "❤\ufe0f\u200d🔥 Co",
        "🙂\u200d↔\ufe0f Co",
        "ម\u200c៉ែ Co",  # Khmer, before a shifter
        "山田\u3000太郎",  # Japanese, with its wide space
        "\U0001fae8 Co",  # younger than our Python's tables
    ],
)
@pytest.mark.parametrize("spelling", ["NFC", "NFD"])
def test_names_of_any_script_and_with_any_sign_are_fine(name: str, spelling: str) -> None:
    tidied = tidy(unicodedata.normalize(spelling, name))  # type: ignore[arg-type]
    assert company_problem(tidied) is None
    assert name_problem(tidied, PERSON_MAX) is None
    assert tidied == tidy(name)


@pytest.mark.parametrize(
    "name",
    [
        "a\x00b",
        "a\x85b",
        "\u202eevil",
        "zero\u200bwidth",
        "soft\u00adhyphen",
        "a\u2028b",
        "x" * 200,
        "a" + "\u0301" * 9,
        "Ac\u200dme",  # joiners that join nothing
        "Ac\u200cme",
        "\u200dAcme",
        "Acme\u200c",
        "کتاب\u200c",
        "🚀\u200cLabs",
        "🚀\u200d",
        "\u3164",  # a letter to Unicode, and blank
        "a\u180eb",
        "a\uffff",
        "a\ufdd0",
        "a\U000e0061",  # a tag without its flag
        "\U0001f3f4\U000e0067\U000e0062",  # and one without its end
        "a\U000e0fff",
    ],
)
def test_what_nobody_sees_is_no_name(name: str) -> None:
    assert company_problem(tidy(name))
    assert name_problem(tidy(name), PERSON_MAX)


@pytest.mark.parametrize(
    "name",
    [
        "ᠰᠠᠷ\u180eᠠ",  # Mongolian, with its vowel separator
        "\u0600\u0661\u0662",  # an Arabic number sign shows
        "Café 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland's flag
    ],
)
def test_things_have_names_that_the_tenants_definition_does_not_know(name: str) -> None:
    assert list(unseen(name)) == []
    assert name_problem(tidy(name), PERSON_MAX) is None
    assert company_problem(tidy(name)), "it refuses every formatting character but joiners"


def test_a_name_is_one_line() -> None:
    assert tidy(" Unit\r\n\tprice  ") == "Unit price"
    assert tidy("a\u00a0b\u3000c") == "a\u00a0b\u3000c"


@pytest.mark.parametrize("name", ["", "   ", "🚀🚀", "...", "x" * (naming.DISPLAY_NAME_MAX_LENGTH + 1)])
def test_a_companys_name_can_be_read_aloud(name: str) -> None:
    assert company_problem(tidy(name))


@given(st.text(max_size=120))
def test_tidying_again_changes_nothing(name: str) -> None:
    assert tidy(tidy(name)) == tidy(name)
    assert unicodedata.is_normalized("NFC", tidy(name))


@given(st.text(st.characters() | st.sampled_from(naming.JOINERS), max_size=60))
def test_without_what_is_unseen_a_name_shows_all_it_has(name: str) -> None:
    hidden = set(unseen(name))
    kept = [char for place, char in enumerate(name) if place not in hidden]
    formats = {char for char in kept if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert all(char in naming.JOINERS or _shows(char) for char in formats)


def _shows(char: str) -> bool:
    return unicodedata.bidirectional(char) == "AN" or unicodedata.name(char).startswith(("SYRIAC ABB", "KAITHI"))


@given(st.text(max_size=300))
def test_an_accepted_address_is_one(email: str) -> None:
    if email_problem(email) is None:
        local, _, domain = email.partition("@")
        assert local
        assert "." in domain
        assert email.isascii()
        assert email.isprintable()


@given(st.from_regex(naming.EMAIL_PATTERN, fullmatch=True))
def test_every_address_of_a_tenant_is_accepted(email: str) -> None:
    assert (email_problem(email) is None) == (len(email) <= naming.EMAIL_MAX_LENGTH)


@pytest.mark.parametrize(
    "email",
    ["", "a@b", "@example.com", "a@@example.com", "a b@example.com", "a@example.com\n", "ä@example.com", "x" * 255],
)
def test_bad_addresses(email: str) -> None:
    assert email_problem(email)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * 129,
        "password12",
        "Password123!",
        "P@ssw0rd2026",
        "P4ssw0rd2026",
        "qwertyuiop",
        "1234567890",
        "9876543210",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "абвгдежзийкл",
        "acmeacme2026",
        "nul\x00inside-it",
        "tab\tinside it",
        "half \ud800 a pair",
    ],
)
def test_bad_passwords(password: str) -> None:
    assert password_problem(password, email="jane@example.com", company="Acme GmbH")


@pytest.mark.parametrize(
    "password",
    [
        "blue kettle 9 moon",
        "Str0ng-passw0rd!",
        "xK9#mQ2$vL5n",
        "日本語パスワード十分長い",
        "p" + "q7Zk" * 30,
        "9358170264518390",  # a manager's sixteen digits
        "Trial-09a385701d96240a71963825",
        "Größe 🌱 und Höhe",
        "correct-horse-battery",
        "گذرواژه\u200cای بلند",
    ],
)
def test_good_passwords(password: str) -> None:
    assert password_problem(password, email="jane@example.com", company="Acme GmbH") is None


@pytest.mark.parametrize("password", ["ada.lovelace", "Ada.Lovelace1815", "ada.lovelace@example.com"])
def test_ones_own_address_is_no_password(password: str) -> None:
    assert password_problem(password, email="ada.lovelace@example.com")
    assert password_problem("plum orchard at dawn", email="ada.lovelace@example.com") is None


@pytest.mark.parametrize(
    ("company", "password"),
    [
        ("Acme Rockets GmbH", "Acme Rockets GmbH"),
        ("Acme Rockets GmbH", "acmerocketsgmbh2026!"),
        ("Acme Rockets GmbH", "acme-rockets-gmbh"),
        ("Acme Rockets GmbH", "acm3 r0ck3ts gmbh"),
        ("Rocket Science Ltd", "RocketScience-Ltd2026"),
        ("Studio 54", "studio-54!2026"),
        ("Kaffee & Kuchen", "kaffeekuchen1"),
        ("Müller Straße", "müllerstraße26"),
        ("株式会社光ヶ丘製作", "株式会社光ヶ丘製作2026"),
    ],
)
def test_the_companys_name_is_no_password(company: str, password: str) -> None:
    assert "guess" in str(password_problem(password, email="ada@example.com", company=company))
    assert password_problem("plum orchard at dawn", email="ada@example.com", company=company) is None


@given(
    st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9), min_size=1, max_size=4),
    st.lists(st.sampled_from(["", " ", "-", "_", ".", " & "]), min_size=3, max_size=3),
    st.integers(1000, 99_999_999),
)
def test_however_its_words_are_put_together(words: list[str], between: list[str], number: int) -> None:
    company, joined = " ".join(words), words[0]
    for gap, word in zip(between, words[1:], strict=False):
        joined += gap + word
    assume(len("".join(words)) >= 6)
    assert password_problem(f"{joined}{number}".title(), company=company)


@given(st.text(st.sampled_from("éệ한åŀǹṩ9z ;"), min_size=1, max_size=PASSWORD_MAX * 2))
def test_a_password_is_as_long_as_people_count_it_on_any_keyboard(password: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, password) for form in ("NFC", "NFD"))
    assert password_problem(composed) == password_problem(decomposed)
    assert (password_problem(composed) is None) <= (PASSWORD_MIN <= len(composed) <= PASSWORD_MAX)
