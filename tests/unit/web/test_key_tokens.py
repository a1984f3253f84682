"""The text of API keys: what is whole is known as such without a database, and nothing else is."""

import pytest
from vivero_web.key_tokens import PREFIX_LENGTH, KeyTokens, new_prefix

MARK = "viv_"
OURS, THEIRS, OF_STAFF = KeyTokens(b"0" * 32, MARK), KeyTokens(b"1" * 32, MARK), KeyTokens(b"0" * 32, "vivst_")


def test_a_token_tells_its_prefix_to_the_workspace_that_made_it() -> None:
    prefix = new_prefix()
    token = OURS.new(prefix)
    assert token.startswith(f"{MARK}{prefix}_")
    assert OURS.prefix_of(token) == prefix
    assert THEIRS.prefix_of(token) is None
    assert OF_STAFF.prefix_of(token) is None


def test_secrets_of_one_key_differ() -> None:
    assert OURS.new("a" * PREFIX_LENGTH) != OURS.new("a" * PREFIX_LENGTH)


def test_one_wrong_character_anywhere_is_seen() -> None:
    token = OURS.new(new_prefix())
    for place, letter in enumerate(token):
        typo = token[:place] + ("x" if letter != "x" else "y") + token[place + 1 :]
        assert OURS.prefix_of(typo) is None, place


@pytest.mark.parametrize("text", ["", MARK, "viv_é", "viv_" + "a" * 47, "viv_aaaaaaaa_" + "٣" * 38, "x" * 5000])
def test_what_is_no_token_has_no_prefix(text: str) -> None:
    assert OURS.prefix_of(text) is None
