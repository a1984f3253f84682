import json
import re
import unicodedata
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient
from vivero_core.model import naming
from vivero_data.domain.owner.service import OwnerAccount, OwnerState
from vivero_data.domain.users.service import normal_email
from vivero_data.domain.workspace.controllers import WorkspaceController
from vivero_data.domain.workspace.service import WorkspaceService, WorkspaceSettings, WorkspaceState, problems_with
from vivero_web.errors import InvalidInputError
from vivero_web.problem import Answers

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0$RdescudvJCsgt3ub+b3dWRWJTmaaMOQoLaqGyGUWeOI"
OWNER = {"email": "ada@example.com", "name": "Ada", "password_hash": HASH}
SAID: dict[str, Any] = {"name": "Acme GmbH", "public_url": "https://acme.example.com:8443", "owner": OWNER}
TOKEN = {"authorization": "Bearer sesame"}


class FakeWorkspace(WorkspaceService):
    """Checks like the real one, remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[WorkspaceSettings] = []

    async def configure(self, said: WorkspaceSettings) -> WorkspaceState:
        errors = problems_with(said)
        if errors:
            raise InvalidInputError.of_all(errors)
        self.heard.append(said)
        owner = OwnerState("ada@example.com", created=len(self.heard) == 1)
        return WorkspaceState(said.identity, owner)


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace()


@pytest.fixture
def client(workspace: FakeWorkspace) -> Iterator[TestClient[Litestar]]:
    app = Litestar(
        [WorkspaceController],
        path="/internal/v1",
        dependencies={"workspace": Provide(lambda: workspace, sync_to_thread=False)},
        exception_handlers={Exception: Answers(None).to},
        state=State({"settings": SimpleNamespace(app=SimpleNamespace(operator_token="sesame"))}),
        logging_config=None,
    )
    with TestClient(app) as made:
        yield made


def test_the_answer_says_what_is_stored_and_whether_an_owner_was_made(client: TestClient[Litestar]) -> None:
    stored = {"name": "Acme GmbH", "public_url": "https://acme.example.com:8443"}
    for status, created in ((201, True), (200, False)):
        answer = client.put("/internal/v1/workspace", json=SAID, headers=TOKEN)
        assert answer.status_code == status
        owner = {"email": "ada@example.com", "created": created, "changed": False}
        assert answer.json() == {"workspace": stored, "owner": owner}
    for said in (stored, {**stored, "owner": None}):
        answer = client.put("/internal/v1/workspace", json=said, headers=TOKEN)
        assert (answer.status_code, answer.json()) == (200, {"workspace": stored, "owner": owner}), "the first owner"


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic sesame"}])
def test_nobody_else_comes_in(client: TestClient[Litestar], workspace: FakeWorkspace, header: dict[str, str]) -> None:
    assert client.put("/internal/v1/workspace", json=SAID, headers=header).status_code == 401
    assert not workspace.heard


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": 7}, "name"),
        ({"public_url": "acme.example.com"}, "public_url"),
        ({"public_url": "https://acme.example.com/"}, "public_url"),
        ({"public_url": "https://acme.example.com\n"}, "public_url"),
        ({"public_url": "https://user@acme.example.com"}, "public_url"),
        ({"public_url": "https://[acme"}, "public_url"),
        ({"public_url": "javascript:alert(1)"}, "public_url"),
        ({"public_url": f"https://{'x' * 300}"}, "public_url"),
        ({"owner": {**OWNER, "email": "nobody"}}, "owner.email"),
        ({"owner": {**OWNER, "name": "a\x00"}}, "owner.name"),
        ({"owner": {**OWNER, "password_hash": "sesame"}}, "owner.password_hash"),
        ({"owner": {**OWNER, "password_hash": "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaA"}}, "owner.password_hash"),
        ({"owner": {**OWNER, "password_hash": 1}}, "owner.password_hash"),
        ({"owner": {**OWNER, "password_hash": HASH.replace("19456", "١٩٤٥٦")}}, "owner.password_hash"),
        ({"owner": {**OWNER, "replaces": "nobody"}}, "owner.replaces"),
        ({"owner": {**OWNER, "replaces": 1}}, "owner.replaces"),
    ],
)  # fmt: skip
def test_bad_input_names_its_field(
    client: TestClient[Litestar], workspace: FakeWorkspace, changes: dict[str, Any], field: str
) -> None:
    answer = client.put("/internal/v1/workspace", json={**SAID, **changes}, headers=TOKEN)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "sesame" not in answer.text
    assert not workspace.heard


@pytest.mark.parametrize("missing", ["name", "public_url"])
def test_what_is_missing_is_named(client: TestClient[Litestar], missing: str) -> None:
    said = {key: value for key, value in SAID.items() if key != missing}
    answer = client.put("/internal/v1/workspace", json=said, headers=TOKEN)
    assert answer.status_code == 422
    assert missing in [error["field"] for error in answer.json()["errors"]]


def test_every_mistake_is_named_at_once(client: TestClient[Litestar]) -> None:
    owner = {"email": "x", "name": "a\x00", "password_hash": "x", "replaces": "x"}
    said = {**SAID, "name": " ", "owner": owner}
    answer = client.put("/internal/v1/workspace", json=said, headers=TOKEN)
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["name", "owner.email", "owner.name", "owner.password_hash", "owner.replaces"]


def parse(said: object) -> WorkspaceSettings | None:
    """As the controller does; None when it is refused."""
    try:
        found = msgspec.json.decode(json.dumps(said), type=WorkspaceSettings)
    except msgspec.MsgspecError:
        return None
    return None if problems_with(found) else found


# What people call themselves, and addresses with and without a flaw.
NAMES = st.one_of(st.text(), st.text(min_size=1, max_size=80).map(lambda text: f"{text}x"))
HOSTS = st.from_regex(r"\A[a-z0-9.-]{1,40}(:[0-9]{1,5})?\Z")
URLS = st.one_of(st.text(), HOSTS.map("https://".__add__), HOSTS.map("http://".__add__))


@given(NAMES, URLS)
def test_what_is_accepted_can_be_stored_and_shown(name: str, url: str) -> None:
    found = parse({"name": name, "public_url": url})
    if found is None:
        return
    assert found.identity.name == name, "told again it must be the same, or the operator never stops telling"
    assert found.identity.public_url == url
    assert 1 <= len(name) <= 80
    assert name.strip()
    assert not {unicodedata.category(char) for char in name if char not in naming.JOINERS} & {"Cc", "Cf", "Cs"}
    assert len(url) <= 300


# A Tenant's name has no space at its ends: the CRD refuses it.
@given(st.from_regex(r"\A[A-Za-z0-9ÄÖÜäöüß]([A-Za-z0-9ÄÖÜäöüß&. -]{0,60}[A-Za-z0-9])?\Z"), HOSTS)
def test_what_a_company_is_called_is_accepted(name: str, host: str) -> None:
    assert parse({"name": name, "public_url": f"https://{host}"}) is not None


@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_an_owner_is_checked_whatever_it_says(email: str, name: str, password_hash: str, replaces: str | None) -> None:
    found = WorkspaceSettings("Acme", "https://acme.example.com", OwnerAccount(email, name, password_hash, replaces))
    fields = {"owner.email", "owner.name", "owner.password_hash", "owner.replaces"}
    assert {error.field for error in problems_with(found)} <= fields
    assert problems_with(found), "a random text is no argon2id hash"


# What the Tenant's definition accepts; in its regular expressions, which are RE2's, $ is the very end of the text.
EMAILS = st.from_regex(naming.EMAIL_PATTERN, fullmatch=True).filter(lambda email: len(email) <= naming.EMAIL_MAX_LENGTH)
DISPLAY_NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs"], exclude_characters="\u2028\u2029")
    | st.sampled_from(naming.JOINERS),
    min_size=1,
    max_size=80,
).filter(lambda name: name.strip() == name)


@given(DISPLAY_NAMES, EMAILS, EMAILS | st.none(), st.sampled_from([HASH, None]))
def test_what_the_definition_accepts_is_accepted_here(
    display_name: str, email: str, replaces: str | None, password_hash: str | None
) -> None:
    owner = {"email": email, "password_hash": password_hash, "replaces": replaces}
    found = parse({"name": display_name, "public_url": "https://acme.example.com", "owner": owner})
    assert found is not None
    assert found.owner is not None
    assert normal_email(found.owner.email) == email.lower(), "the address that the person logs in with"


@pytest.mark.parametrize(
    "email",
    [
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.co",
        "!#$%&'*+/=?^_`{|}~-@x.io",
        "..@1.2.abc",
        "A@xn--p1ai.MUSEUM",
    ],
)
def test_addresses_at_the_edge_are_accepted(email: str) -> None:
    assert re.fullmatch(naming.EMAIL_PATTERN, email)
    assert len(email) <= naming.EMAIL_MAX_LENGTH
    assert parse({**SAID, "owner": {**OWNER, "email": email}}) is not None
