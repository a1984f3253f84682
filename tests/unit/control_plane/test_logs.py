"""No secret in a log line."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.lib import logs


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"),
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
    ],
    # A hash is another at each run, and workers must agree on the tests' names.
    ids=["token", "hash", "key"],
)
def test_secrets_are_known_by_their_form(secret: str) -> None:
    assert secret not in logs.redact(f"failed with {secret} at the end")


def test_logins_and_queries_of_addresses_are_cut_out() -> None:
    assert "hunter2" not in logs.redact("valkeys://user:hunter2@host:6379 is away")
    assert "ticket=abc" not in logs.redact("GET https://a.example.com/login/ticket?ticket=abc 200")
    assert logs.redact("plain words, 100% harmless") == "plain words, 100% harmless"


@given(st.sampled_from(["password", "Authorization", "refresh_token", "api_key", "set-cookie"]), st.text(min_size=8))
def test_fields_are_known_by_their_name(key: str, value: str) -> None:
    event = logs.redact_event(None, "", {"event": "x", key: value, "nested": {key: value}, "list": [{key: value}]})
    assert event[key] == event["nested"][key] == event["list"][0][key] == logs.HIDDEN


@pytest.fixture
def restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_lines_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    logs.configure("INFO")
    logging.getLogger("somewhere").warning("could not reach %s", "https://u:hunter2@host/")
    line = json.loads(out.getvalue())
    assert line["level"] == "warning"
    assert line["event"] == "could not reach https://u:<secret>@host/"
