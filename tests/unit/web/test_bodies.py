"""Who, what and how much are known before a byte of a body is read: every route of both programs that may have one."""

from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from litestar import Litestar
from support.asgi import Answer, ask
from support.programs import (
    DOMAIN,
    LARGEST_FILE,
    SOMEBODY,
    Route,
    a_control_plane,
    a_workspace,
    member,
    operator,
    payment_provider,
    routes_of,
    staff,
)
from vivero_data.web.pending_form import LOGIN_BYTES
from vivero_web.bodies import FORM_BYTES
from vivero_web.exchange import Drained
from vivero_web.security import FORM, JSON, MULTIPART

PIECE = b"x" * 16 * 1024
# Of a record with fifty long texts, or a collection with all its choices.
CONTENT_BYTES = 1024 * 1024
BOUNDARY = "b0undary"
KINDS = {JSON: JSON, FORM: FORM, MULTIPART: f"{MULTIPART}; boundary={BOUNDARY}"}

# What anybody may send: logins, signups, and what ends a session that need not be there.
PUBLIC = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/forgotten-password",
    "PUT /api/v1/auth/password",
    "POST /api/v1/auth/password-reset",
    "POST /api/v1/auth/password",
    "POST /api/v1/signups",
    "POST /api/v1/signups/confirmations",
    "POST /api/v1/signups/confirmation-links",
    "POST /confirm",
    "POST /confirm/join",
    "POST /api/v1/signups/join-requests",
    "POST /confirm/again",
    "POST /login",
    "POST /login/code",
    "POST /confirm-email",
    "POST /api/v1/auth/email",
    "POST /login/ticket",
    "POST /login/support",
    "POST /stop-mails/{mailing}",
    "POST /forgotten-password",
    "POST /set-password",
    "POST /signup",
    "POST /staff/forgotten-password",
    "POST /login/workspaces",
    "POST /staff/login",
    "POST /staff/login/code",
    "POST /staff/logout",
    "POST /quote",
    "POST /quote/accept",
    "POST /quote/decline",
    "POST /account/link",
    "POST /account/open",
    "POST /account/enter",
    "POST /account/leave",
}
# Posted by a page of the control plane: the ticket is what counts.
FROM_ANYWHERE = {"POST /login/ticket"}
# What a viewer may send: their own password, and which columns they see.
OF_VIEWERS = {
    "PUT /api/v1/collections/{name}/favourite",
    "POST /collections/{name}/favourite",
    "PUT /api/v1/collections/{name}/views/{view_id}/favourite",
    "POST /collections/{name}/views/{view_id}/favourite",
    "POST /api/v1/collections/{name}/views/{view_id}/copy",
    "POST /collections/{name}/views/{view_id}/copy",
    "POST /api/v1/collections/{name}/views",
    "PATCH /api/v1/collections/{name}/views/{view_id}",
    "POST /collections/{name}/views",
    "POST /collections/{name}/views/{view_id}",
    "POST /collections/{name}/views/{view_id}/delete",
    "POST /api/v1/api-keys",
    "PATCH /api/v1/api-keys/{key_id}",
    "POST /api/v1/api-keys/{key_id}/rotate",
    "PUT /api/v1/me/password",
    "PATCH /api/v1/me/notation",
    "POST /account/notation",
    "POST /account/keys/new",
    "POST /account/keys/{key_id}",
    "POST /account/keys/{key_id}/rotate",
    "POST /account/keys/{key_id}/revoke",
    *("POST /api/v1/me/second-factor" + path for path in ("", "/confirm", "/recovery-codes", "/end")),
    *("POST /account/second-factor" + path for path in ("", "/confirm", "/recovery-codes", "/off")),
    "POST /api/v1/me/email",
    "POST /account/email",
    "POST /account/sessions/{login_id}/end",
    "POST /account/sessions/end-others",
    "POST /account/password",
    "POST /collections/{name}/columns",
    "POST /logout",
}
OF_CONTRACTS = (
    "/staff/quotes",
    "/staff/contracts",
    "/staff/invoices",
    "/api/v1/quotes",
    "/api/v1/contracts",
    "/api/v1/contract-invoices",
)
FOR_ADMINS = ("/staff/people", "/api/v1/staff")
WITHOUT_BODY = {
    "POST /account/portal",
    "POST /account/keep",
    "POST /account/resume",
    "POST /account/pause/take-back",
    "POST /account/support/end",
    "POST /account/leave",
    "POST /logout",
    "POST /staff/logout",
    "POST /staff/dead-letters/{letter}/replay",
    "POST /staff/views/{view}/delete",
    "POST /staff/keys/{number}/revoke",
    "POST /staff/webhooks/{number}/secret",
    "POST /staff/webhooks/{number}/delete",
    "POST /api/v1/webhooks/{webhook}/secret",
    "POST /api/v1/webhooks/{webhook}/messages/{message}/resend",
    "POST /staff/quotes/{quote}/send",
    "POST /api/v1/quotes/{quote}/send",
    "POST /staff/invoices/{number}/no-payment",
    "POST /staff/people/{staff_id}/deactivate",
    "POST /staff/people/{staff_id}/reactivate",
    "POST /staff/people/{staff_id}/invitation",
    "POST /staff/people/{staff_id}/withdraw",
    "POST /staff/people/{staff_id}/second-factor",
    "POST /api/v1/staff/{staff_id}/invitation",
    "POST /api/v1/invitations/{user_id}",
    "POST /files/{file_id}/delete",
    "PUT /api/v1/collections/{name}/favourite",
    "PUT /api/v1/collections/{name}/views/{view_id}/favourite",
    "POST /api/v1/collections/{name}/views/{view_id}/copy",
    "POST /collections/{name}/views/{view_id}/copy",
    "POST /api/v1/imports/{import_id}/undo",
    "POST /api/v1/audit/verification",
    "POST /audit/verification",
    "POST /api/v1/workspace-exports",
    "POST /workspace-export",
    "POST /api/v1/trash/{entry_id}/restore",
    "POST /collections/{name}/fields/{field_id}/delete",
    "POST /collections/{name}/views/{view_id}/delete",
    "POST /dashboards/{dashboard_id}/delete",
    "POST /first-steps/hide",
    "POST /usage/plan",
    "POST /imports/{import_id}/undo",
    "POST /workspace-export/{export_id}/delete",
    "POST /report-schedules/{schedule_id}/delete",
    "POST /stop-mails/{mailing}",
    "POST /reports/{report_id}/delete",
    "POST /reports/{report_id}/home",
    "POST /samples/{sample_id}/delete",
    "POST /templates/{name}",
    "POST /account/keys/{key_id}/revoke",
    "POST /api/v1/webhooks/{webhook_id}/secret",
    "POST /webhooks/{webhook_id}/secret",
    "POST /webhooks/{webhook_id}/delete",
    "POST /roles/{role_id}/delete",
    "POST /users/{user_id}/second-factor",
    "POST /account/sessions/{login_id}/end",
    "POST /account/sessions/end-others",
    "POST /trash/{entry_id}/restore",
}
# Of the payment provider: an event is an object with all that is in it.
EVENTS = {"POST /api/v1/billing/events"}
EVENT_BYTES = 256 * 1024
UPLOADS = {"POST /files", "POST /api/v1/files"}
# Read only if the record that takes the file has room.
OF_RECORDS = {
    "POST /collections/{name}/records/{record_id}/files",
    "POST /api/v1/collections/{name}/records/{record_id}/files",
}
# Files, too, whose other parts have names of their own.
IMPORTS = {"POST /imports/new", "POST /api/v1/imports", "POST /api/v1/collections/{name}/imports"}
# What is in its form depends on what the file holds.
PLANS = {"POST /imports/{import_id}"}
# What was typed before the session ended comes with the login.
BRINGS_ALONG = {"POST /login", "POST /login/code"}
CONTENT = {
    "POST /api/v1/roles",
    "PATCH /api/v1/roles/{role_id}",
    "POST /new-collection",
    "POST /collections/{name}/new",
    "POST /collections/{name}/records/{record_id}",
    "POST /api/v1/collections",
    "POST /api/v1/collections/{name}/records",
    "POST /api/v1/collections/{name}/records/batch",
    "PATCH /api/v1/collections/{name}/records/{record_id}",
    "PATCH /api/v1/collections/{name}",
    "POST /api/v1/collections/{name}/fields",
    "PATCH /api/v1/collections/{name}/fields/{field}",
    "POST /collections/{name}/fields/{field_id}",
    "POST /collections/{name}/new-field",
    "POST /collections/{name}/selection",
}
VALUES = {
    "name": "Contacts",
    "which": "suspend",
    "record_id": "1",
    "collection_id": "1",
    "user_id": "1",
    "role_id": "1",
    "key_id": "1",
    "webhook_id": "1",
    "login_id": "1",
    **dict.fromkeys(
        (
            "comment_id",
            "dashboard_id",
            "entry_id",
            "export_id",
            "field_id",
            "import_id",
            "index",
            "mailing",
            "report_id",
            "schedule_id",
            "signup_id",
        ),
        "1",
    ),
    **dict.fromkeys(("sample_id", "view_id", "job_id"), "1"),
    "field": "choice",
    "file_id": "a" * 26,
    "letter": "1",
    "webhook": "1",
    "message": "msg_0",
    "view": "1",
    "quote": "1",
    "contract": "1",
    "number": "1",
    "tile": "signup",
    "ident": "abcdefghij",
    "staff_id": SOMEBODY,
}


@pytest.fixture(autouse=True)
def _nothing_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies here never end. What the layer around a program reads of them to throw it away is test_draining's."""

    async def at_once(drained: Drained) -> None:
        drained._unread = False  # noqa: SLF001  as after its time-out

    monkeypatch.setattr(Drained, "_drain", at_once)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litestar]:
    with pytest.MonkeyPatch.context() as patch:
        yield a_workspace(tmp_path_factory.mktemp("workspace"), patch)


@pytest.fixture
def control_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """One for each test: what it counts belongs to the test's event loop."""
    return a_control_plane(tmp_path, monkeypatch)


@pytest.fixture(params=["workspace", "control_plane"])
def app(request: pytest.FixtureRequest) -> Litestar:
    made: Litestar = request.getfixturevalue(request.param)
    return made


def with_bodies(app: Litestar) -> Iterator[Route]:
    return (route for route in routes_of(app) if route.method in {"POST", "PUT", "PATCH"})


def looked_at(app: Litestar) -> Iterator[Route]:
    """Those that read a body before they ask the database; an import is only begun where its collection is, and a file
    is only taken where its record is."""
    return (route for route in with_bodies(app) if str(route) not in IMPORTS | PLANS | OF_RECORDS)


def address(route: Route) -> str:
    return route.path.format(**VALUES)


def kind_of(route: Route) -> str:
    if str(route) in UPLOADS | IMPORTS | OF_RECORDS:
        return MULTIPART
    return FORM if route.is_page else JSON


def bound_of(route: Route) -> int:
    if str(route) in UPLOADS | IMPORTS:
        return LARGEST_FILE + FORM_BYTES
    if str(route) in EVENTS:
        return EVENT_BYTES
    if str(route) in BRINGS_ALONG:
        return LOGIN_BYTES
    return CONTENT_BYTES if str(route) in CONTENT else FORM_BYTES


def authorised(route: Route) -> list[tuple[str, str]]:
    if route.path.startswith("/internal/"):
        return operator()
    if str(route) in EVENTS:
        return payment_provider()
    return staff() if route.handler.fn.__module__.startswith("vivero_control") else member("owner")


async def send(app: Litestar, route: Route, headers: list[tuple[str, str]], length: int | None = None) -> Answer:
    """An endless body of the route's own kind, of a length that is said or not."""
    said = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
    sent = [*headers, said, ("content-type", KINDS[kind_of(route)])]
    return await ask(app, route.method, address(route), sent, repeat(PIECE), DOMAIN)


def test_the_lists_here_name_routes_that_there_are(workspace: Litestar, control_plane: Litestar) -> None:
    known = {str(route) for app in (workspace, control_plane) for route in with_bodies(app)}
    named = PUBLIC | FROM_ANYWHERE | OF_VIEWERS | WITHOUT_BODY | UPLOADS | OF_RECORDS | IMPORTS | PLANS | CONTENT
    assert known >= named | EVENTS


@pytest.mark.parametrize("length", [None, 10, 10**12], ids=["unsaid", "small", "huge"])
async def test_a_strangers_body_is_not_read(app: Litestar, length: int | None) -> None:
    for route in with_bodies(app):
        if str(route) not in PUBLIC:
            answer = await send(app, route, [("sec-fetch-site", "same-origin")], length)
            assert (answer.status, answer.taken) == (401, 0), str(route)


async def test_nor_is_one_from_another_site(app: Litestar) -> None:
    for route in with_bodies(app):
        if route.is_page and str(route) not in FROM_ANYWHERE:
            headers = [item for item in authorised(route) if item[0] == "cookie"]
            answer = await send(app, route, [*headers, ("sec-fetch-site", "cross-site")])
            assert (answer.status, answer.taken) == (403, 0), str(route)


async def test_a_viewers_body_is_not_read_where_viewers_may_do_nothing(workspace: Litestar) -> None:
    for route in with_bodies(workspace):
        if str(route) not in PUBLIC | OF_VIEWERS and not route.path.startswith("/internal/"):
            answer = await send(workspace, route, member("viewer"))
            assert (answer.status, answer.taken) == (403, 0), str(route)


async def test_support_sees_and_decides_nothing_about_the_staff_and_is_told_who_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = a_control_plane(tmp_path, monkeypatch, role="support")
    routes = [route for route in routes_of(app) if route.path.startswith(FOR_ADMINS) and route.method != "OPTIONS"]
    assert len({route.path for route in routes}) > 8
    for route in routes:
        body = route.method in {"POST", "PATCH"}
        nobody = await send(app, route, [("sec-fetch-site", "same-origin")], None if body else 0)
        support = await send(app, route, authorised(route), None if body else 0)
        assert (nobody.status, nobody.taken) == (401, 0), str(route)
        assert (support.status, support.taken) == (403, 0), str(route)
        assert b"Your role is support; ask an admin." in support.body


async def test_support_reads_quotes_and_contracts_and_decides_nothing_about_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = a_control_plane(tmp_path, monkeypatch, role="support")
    routes = [route for route in with_bodies(app) if route.path.startswith(OF_CONTRACTS)]
    assert len(routes) > 8
    for route in routes:
        answer = await send(app, route, authorised(route))
        assert (answer.status, answer.taken) == (403, 0), str(route)


async def test_a_body_of_another_kind_is_not_read(app: Litestar) -> None:
    for route in looked_at(app):
        for kind in {*KINDS, "text/plain", "application/msgpack", ""} - {kind_of(route)}:
            if str(route) in WITHOUT_BODY:
                continue
            headers = [*authorised(route), ("transfer-encoding", "chunked"), ("content-type", KINDS.get(kind, kind))]
            answer = await ask(app, route.method, address(route), headers, repeat(PIECE), DOMAIN)
            assert (answer.status, answer.taken) == (415, 0), (str(route), kind)


async def test_a_body_that_is_said_to_be_too_large_is_not_read(app: Litestar) -> None:
    for route in looked_at(app):
        if str(route) not in WITHOUT_BODY:
            answer = await send(app, route, authorised(route), bound_of(route) + 1)
            assert (answer.status, answer.taken) == (413, 0), str(route)


async def test_a_body_of_unsaid_length_is_read_to_its_bound(app: Litestar) -> None:
    for route in looked_at(app):
        answer = await send(app, route, authorised(route))
        if str(route) in WITHOUT_BODY:
            assert answer.taken == 0, str(route)
        else:
            assert answer.status == 413, str(route)
            assert 0 <= answer.taken - bound_of(route) <= len(PIECE), str(route)


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "\u0663", "", "1,1"])
async def test_a_length_that_is_no_number_is_refused(app: Litestar, length: str) -> None:
    for route in looked_at(app):
        if str(route) not in WITHOUT_BODY:
            headers = [*authorised(route), ("content-length", length), ("content-type", KINDS[kind_of(route)])]
            answer = await ask(app, route.method, address(route), headers, repeat(PIECE), DOMAIN)
            assert (answer.status, answer.taken) == (400, 0), str(route)


@pytest.mark.parametrize("route", sorted(UPLOADS))
class TestAFormWithAFile:
    """Every part of it has a bound, whatever its sender may do and however the rest is."""

    async def upload(self, app: Litestar, route: str, pieces: Iterator[bytes]) -> Answer:
        headers = [*member("member"), ("transfer-encoding", "chunked"), ("content-type", KINDS[MULTIPART])]
        return await ask(app, "POST", route.removeprefix("POST "), headers, pieces, DOMAIN)

    def part(self, head: str, content: Iterator[bytes]) -> Iterator[bytes]:
        return chain([f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode()], content)

    @pytest.mark.parametrize(
        "head",
        [
            'Content-Disposition: form-data; name="note"',
            'Content-Disposition: form-data; name="file"',
            'Content-Disposition: form-data; name="file"; filename=""',
            'Content-Disposition: form-data; name="other"; filename="a.txt"',
            "Content-Disposition: form-data",
        ],
    )
    async def test_what_is_no_file_of_ours_has_no_room(self, workspace: Litestar, route: str, head: str) -> None:
        answer = await self.upload(workspace, route, self.part(head, repeat(PIECE)))
        assert answer.status == 413
        assert answer.taken <= FORM_BYTES + 2 * len(PIECE)

    async def test_a_second_file_is_no_file_of_ours(self, workspace: Litestar, route: str) -> None:
        head = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
        first = self.part(head, iter([b"one\r\n"]))
        answer = await self.upload(workspace, route, chain(first, self.part(head, repeat(PIECE))))
        assert answer.status == 413
        assert answer.taken <= FORM_BYTES + 2 * len(PIECE)

    async def test_a_file_has_its_own_bound(self, workspace: Litestar, route: str) -> None:
        head = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
        answer = await self.upload(workspace, route, self.part(head, repeat(PIECE)))
        assert answer.status == 413
        assert answer.taken <= LARGEST_FILE + 2 * len(PIECE)

    @pytest.mark.parametrize("line", [b"X-Y: " + b"x" * 1024 + b"\r\n", b"x" * 1024])
    async def test_so_have_the_headers_of_a_part(self, workspace: Litestar, route: str, line: bytes) -> None:
        answer = await self.upload(workspace, route, chain([f"--{BOUNDARY}\r\n".encode()], repeat(line)))
        assert answer.status == 413
        assert answer.taken <= 64 * 1024

    async def test_and_so_has_their_number(self, workspace: Litestar, route: str) -> None:
        parts = repeat(b"--%s\r\nContent-Disposition: form-data; name=n\r\n\r\n\r\n" % BOUNDARY.encode())
        answer = await self.upload(workspace, route, parts)
        assert answer.status == 413
        assert answer.taken <= FORM_BYTES

    @pytest.mark.parametrize(
        "whole",
        [
            b"",
            b"no form at all",
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\ncut sho".encode(),
            f"--{BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\nx\r\n--{BOUNDARY}--".encode(),
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\xff\r\n\r\n".encode("latin-1"),
            f"--{BOUNDARY}\nContent-Disposition: form-data\n\n".encode(),
        ],
    )
    @pytest.mark.parametrize("size", [1, 7, 1000])
    async def test_what_is_no_form_is_refused(self, workspace: Litestar, route: str, whole: bytes, size: int) -> None:
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        assert (await self.upload(workspace, route, pieces)).status in {400, 422}

    @pytest.mark.parametrize(
        "parameters", ["", "; boundary=", "; boundary=" + "b" * 71, "; boundary=ü", '; boundary="a "']
    )
    async def test_nor_is_one_without_a_boundary(self, workspace: Litestar, route: str, parameters: str) -> None:
        headers = [*member("member"), ("transfer-encoding", "chunked"), ("content-type", f"{MULTIPART}{parameters}")]
        answer = await ask(workspace, "POST", route.removeprefix("POST "), headers, repeat(PIECE), DOMAIN)
        assert (answer.status, answer.taken) == (400, 0)


@pytest.mark.parametrize(
    ("form", "status"),
    [(b"email=%ff", 400), (b"email=\xff", 400), (b"&".join([b"a="] * 1001), 413), (b"email=a&email=b", 401)],
)
async def test_a_form_is_text_and_has_few_fields(app: Litestar, form: bytes, status: int) -> None:
    path = next(route.path for route in with_bodies(app) if route.path in {"/login", "/staff/login"})
    headers = [("sec-fetch-site", "same-origin"), ("content-type", FORM), ("content-length", str(len(form)))]
    answer = await ask(app, "POST", path, headers, [form], DOMAIN)
    # With nobody behind the form, who it is cannot be found out.
    assert answer.status == (503 if status == 401 else status)


async def test_a_sender_who_leaves_is_no_fault_of_ours(app: Litestar) -> None:
    for route in looked_at(app):
        if str(route) not in WITHOUT_BODY:
            headers = [*authorised(route), ("content-length", "99"), ("content-type", KINDS[kind_of(route)])]
            answer = await ask(app, route.method, address(route), headers, [b"--b0und"], DOMAIN, ends=False)
            assert answer.status == 400, str(route)
