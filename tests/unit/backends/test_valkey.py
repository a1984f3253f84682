import hashlib
import ssl
from pathlib import Path

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
    BackendMisconfiguredError,
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
        "channels": "",
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
        {"flags": ["on", "sanitize-payload", "nopass"]},
        {"flags": ["on", "sanitize-payload", "of-a-later-server"]},
        {"databases": "1"},
        {"flags": ["on", "skip-sanitize-payload"]},
        {"passwords": []},
        {"passwords": [acl.password_hash("s3cret"), acl.password_hash("another")]},
        {"commands": "+@all"},
        *({"commands": one, "channels": f"&{USER}:*"} for one in acl.FORMER),
        {"keys": "~*"},
        {"keys": f"~{USER}:* ~other:*"},
        {"channels": "&*"},
        {"channels": f"&{USER}:*"},
        {"selectors": [["commands", "+@all", "keys", "~*", "channels", ""]]},
    ],
)
def test_each_drift_shows(drift: dict[str, object]) -> None:
    assert acl.present(reply(**drift)) != acl.wanted(USER, "s3cret")


FORMER = {"commands": acl.FORMER[0], "channels": f"&{USER}:*"}
# Digests of the commands of each release, oldest first. A line is added with a release, none is ever taken away.
RELEASED = ("84910b", "b961b3")


def test_rules_that_were_released_are_known_for_ever() -> None:
    """Who changes them puts the old ones at the end of FORMER: otherwise every tenant's user seems changed by hand."""
    known = [hashlib.sha256(one.encode()).hexdigest()[:6] for one in (*acl.FORMER, " ".join(acl.COMMANDS))]
    assert tuple(known) == RELEASED


def test_a_user_with_the_rules_of_an_earlier_release_is_known() -> None:
    assert acl.is_former(acl.present(reply(**FORMER)), USER, "s3cret")


@pytest.mark.parametrize(
    "hand",
    [
        {"flags": ["on", "nopass"]},
        {"passwords": [acl.password_hash("another")]},
        {"commands": f"{acl.FORMER[0]} +scan"},
        {"commands": " ".join(acl.COMMANDS)},
        {"keys": "~*"},
        {"channels": "&*"},
        {"selectors": [["commands", "+@all", "keys", "~*", "channels", ""]]},
    ],
)
def test_one_that_a_hand_changed_as_well_is_not(hand: dict[str, object]) -> None:
    assert not acl.is_former(acl.present(reply(**(FORMER | hand))), USER, "s3cret")
    assert not acl.is_former(None, USER, "s3cret")


LINES = [
    "user default off sanitize-payload resetchannels -@all",
    "user admin on #aa ~* &* +@all",
    f"user {USER} on #aa ~{USER}:* resetchannels &{USER}:* -@all +@read",
]


@pytest.mark.parametrize(
    ("line", "intruder"),
    [
        (f"user {USER}x on ~* &* +@all", f"{USER}x"),
        (f"user {USER}x off resetchannels -@all", f"{USER}x"),
        (f"user reader on ~{USER}:* resetchannels -@all +get", "reader"),
        (f"user reader on %R~{USER}:a:* resetchannels -@all +get", "reader"),
        (f"user reader on %RW~{USER}* resetchannels -@all +get", "reader"),
        (f"user reader on resetchannels &{USER}:* -@all +get", "reader"),
        (f"user reader on resetchannels -@all (~{USER}:* resetchannels -@all +get)", "reader"),
        (f"user reader on resetchannels -@all (%W~other:* &{USER}:* -@all +get)", "reader"),
        ("user reader on ~vt* resetchannels -@all +get", None),
        ("user reader on ~vtaaaaaaaaa?:* resetchannels -@all +get", None),
        ("user", None),
    ],
)
def test_who_has_a_part_in_a_tenants_keys_is_seen(line: str, intruder: str | None) -> None:
    found = acl.unmanaged_users([*LINES, line])
    assert found == ({USER.removeprefix("vt"): {intruder}} if intruder else {})


def test_a_neighbour_with_a_part_is_an_intruder() -> None:
    other = "user vtbbbbbbbbbb on ~vtbbbbbbbbbb:* ~vtaaaaaaaaaa:* resetchannels -@all"
    assert acl.unmanaged_users([*LINES, other]) == {"aaaaaaaaaa": {"vtbbbbbbbbbb"}}


def test_only_the_tenants_patterns_are_taken() -> None:
    selectors = [
        ["commands", "-@all +set", "keys", f"~{USER}:* ~own:*", "channels", ""],
        ["commands", "-@all +del", "keys", f"~{USER}:*", "channels", f"&{USER}:*"],
        ["commands", "-@all +ping", "keys", "", "channels", ""],
    ]
    got = reply(keys=f"~{USER}:* %R~own:*", channels=f"&own &{USER}:x", selectors=selectors)
    assert acl.rules_without(USER, got) == [
        "resetkeys",
        "%R~own:*",
        "resetchannels",
        "&own",
        "clearselectors",
        "(-@all +set ~own:*)",
        "(-@all +ping)",
    ]


@given(st.text())
def test_rules_start_with_a_reset_and_hold_no_password(password: str) -> None:
    rules = acl.rules(acl.wanted(USER, password))
    assert rules[:2] == ["reset", "on"]
    assert [rule for rule in rules if rule.startswith("#")] == [f"#{acl.password_hash(password)}"]
    assert not [rule for rule in rules if rule.startswith((">", "nopass", "allkeys"))]
    assert [rule for rule in rules if rule[0] in "~&"] == [f"~{USER}:*"]


def test_commands_start_from_nothing_and_are_allowed_by_name() -> None:
    first, *rest = acl.COMMANDS
    assert first == "-@all"
    assert [one for one in rest if not one.startswith("+") or "@" in one] == []


def test_a_self_hosted_workspace_has_the_same_rules() -> None:
    guide = (Path(__file__).parents[3] / "docs/self-hosting.md").read_text()
    assert f"~$VALKEY_USER:* resetchannels {' '.join(acl.COMMANDS)}\n" in guide


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


@pytest.mark.parametrize(
    "text", ["", " \n", "not a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "\0"]
)
def test_trust_in_nothing_is_refused(text: str) -> None:
    """Python takes an empty text for all authorities of the machine."""
    with pytest.raises(BackendMisconfiguredError, match="certificate authority"):
        client_context(text)


def test_an_authority_may_carry_a_comment_in_any_script(authority: str) -> None:
    assert len(client_context(f"# Főtanúsítvány\n{authority}").get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("access", "left"),
    [
        ("on ~vtaaaaaaaaaa:* +get", "on +get"),
        ("on ~other:* %RW~vtaaaaaaaaaa:x &vtaaaaaaaaaa* +get", "on ~other:* +get"),
        ("on ~a:* (~vtaaaaaaaaaa:* +get) (+set ~vtaaaaaaaaaa:*)", "on ~a:* (+get) (+set)"),
        ("on ~vtbbbbbbbbbb:* ~vt* ~* +@all", "on ~vtbbbbbbbbbb:* ~vt* ~* +@all"),
    ],
)
def test_a_tenants_patterns_leave_an_access_string(access: str, left: str) -> None:
    """Those of others, and those that cover more, stay."""
    assert acl.without_patterns("vtaaaaaaaaaa", access) == left
