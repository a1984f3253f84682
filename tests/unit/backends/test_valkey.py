import ssl

import pytest
import valkey.exceptions
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.errors import translated
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    InvalidNameError,
)

USER = "vtaaaaaaaaaa"


def reply(**changes: object) -> list[object]:
    """ACL GETUSER as the server gives it for a user that is as wanted."""
    fields: dict[str, object] = {
        "flags": ["on", "sanitize-payload"],
        "passwords": [acl.password_hash("s3cret")],
        "commands": " ".join(acl.COMMANDS),
        "keys": f"~{USER}:*",
        "channels": f"&{USER}:*",
        "selectors": [],
    }
    return [item for pair in (fields | changes).items() for item in pair]


def test_what_the_server_reports_is_what_we_set() -> None:
    assert acl.present(reply()) == acl.wanted(USER, "s3cret")


@pytest.mark.parametrize(
    "drift",
    [
        {"flags": ["off", "sanitize-payload"]},
        {"flags": ["on", "nopass"]},
        {"flags": ["on", "skip-sanitize-payload"]},
        {"passwords": []},
        {"passwords": [acl.password_hash("s3cret"), acl.password_hash("another")]},
        {"commands": "+@all"},
        {"keys": "~*"},
        {"keys": f"~{USER}:* ~other:*"},
        {"channels": "&*"},
        {"selectors": [["commands", "+@all", "keys", "~*", "channels", ""]]},
    ],
)
def test_each_drift_shows(drift: dict[str, object]) -> None:
    assert acl.present(reply(**drift)) != acl.wanted(USER, "s3cret")


@given(st.text())
def test_rules_start_with_a_reset_and_hold_no_password(password: str) -> None:
    rules = acl.rules(acl.wanted(USER, password))
    assert rules[:2] == ["reset", "on"]
    assert [rule for rule in rules if rule.startswith("#")] == [f"#{acl.password_hash(password)}"]
    assert not [rule for rule in rules if rule.startswith((">", "nopass", "allkeys"))]
    assert [rule for rule in rules if rule[0] in "~&"] == [f"~{USER}:*", f"&{USER}:*"]


def test_commands_start_from_nothing_and_deny_what_sees_or_destroys_all() -> None:
    assert acl.COMMANDS[0] == "-@all"
    assert {"-@admin", "-@dangerous", "-scan", "-randomkey", "-dbsize", "-client|tracking"} <= set(acl.COMMANDS)
    assert acl.COMMANDS.index("-scan") > acl.COMMANDS.index("+@read")


@given(st.text(max_size=20))
def test_no_other_name_gets_rules(name: str) -> None:
    with pytest.raises(InvalidNameError):
        acl.wanted(name, "x")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (valkey.exceptions.AuthenticationError("WRONGPASS x"), BackendAuthenticationError),
        (valkey.exceptions.ConnectionError("refused"), BackendUnavailableError),
        (valkey.exceptions.TimeoutError("slow"), BackendUnavailableError),
        (valkey.exceptions.ResponseError("MISCONF disk"), BackendUnavailableError),
        (valkey.exceptions.NoPermissionError("hunter2"), BackendRefusedError),
        (valkey.exceptions.ResponseError("ERR hunter2"), BackendRefusedError),
    ],
)
def test_an_error_says_what_a_caller_can_do(error: Exception, kind: type[BackendError]) -> None:
    with pytest.raises(BackendError) as caught, translated("do a thing"):
        raise error
    assert type(caught.value) is kind
    assert "hunter2" not in str(caught.value)


def test_a_foreign_certificate_is_refused_not_waited_for() -> None:
    def connect() -> None:
        try:
            raise ssl.SSLCertVerificationError("self-signed")
        except ssl.SSLError as error:
            raise valkey.exceptions.ConnectionError("no connection") from error

    with pytest.raises(BackendRefusedError, match="certificate"), translated("connect"):
        connect()


def test_trust_is_one_authority_and_tls_1_3(authority: str) -> None:
    context = client_context(authority)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
