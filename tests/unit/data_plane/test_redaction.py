from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.lib.redaction import HIDDEN, redact, scrub

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize("name", ["password", "new_password", "refresh_token", "Authorization", "cookie", "ticket"])
def test_values_are_hidden_by_name(name: str) -> None:
    assert redact(None, "info", {name: "sesame"}) == {name: HIDDEN}


@pytest.mark.parametrize("secret", [JWT, "Bearer abc.def", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"])
def test_what_looks_like_a_credential_is_hidden(secret: str) -> None:
    event: dict[str, Any] = {"event": f"failed with {secret} at last", "count": 3}
    assert redact(None, "info", event) == {"event": f"failed with {HIDDEN} at last", "count": 3}


@given(st.text(alphabet="abc xyz123./:"))
def test_plain_words_stay(text: str) -> None:
    assert scrub(text) == text
