import re
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import msgspec
import pytest
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import NOW, FakeFiles, World
from vivero_core.account_key import is_signed, public_half
from vivero_data.domain.audit.chain import ChainProblem, Kind
from vivero_data.domain.audit.verification import LastVerification, Verification
from vivero_data.domain.audit.verifying import VerifyAuditLog
from vivero_data.domain.identity.service import Identity
from vivero_data.domain.jobs.repository import JobState
from vivero_data.domain.usage.service import Meter
from vivero_data.domain.users.schemas import Role
from vivero_web import account_tickets
from vivero_web.clock import now
from vivero_web.errors import UnavailableError


def verification(entries: int, unsealed: int = 0) -> Verification:
    return Verification(
        intact=True, entries=entries, seals=1, unsealed=unsealed, erased=0, anchors=1, copied_from=(), head="ab"
    )


PASSWORD = "correct horse battery staple"


def test_logging_in_sets_cookies_and_leads_on(browser: Browser) -> None:
    page = browser.open("/login?next=/files")
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    answer = browser.client.post(
        "/login", data={"email": "ada@example.com", "password": PASSWORD, "next": "/files"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/files")
    cookies = answer.headers.get_list("set-cookie")
    assert any("__Host-session=" in cookie for cookie in cookies)
    assert all("HttpOnly" in cookie and "Secure" in cookie for cookie in cookies)


def test_a_wrong_password_keeps_the_address_and_never_the_password(browser: Browser) -> None:
    page = browser.send("/login", 401, email="ada@example.com", password="not-the-one", next="https://evil.example")
    assert "The e-mail address or the password is wrong." in page
    assert 'value="ada@example.com"' in page
    assert "not-the-one" not in page
    assert 'name="next" value="/"' in page


def test_too_many_attempts_say_how_long_to_wait(browser: Browser) -> None:
    answer = browser.client.post("/login", data={"email": "blocked@example.com", "password": "x"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert "Try again in 30 seconds" in answer.text


def test_a_ticket_lets_in_once(browser: Browser) -> None:
    assert browser.send("/login/ticket", ticket="t") == "/"
    assert browser.send("/login/ticket", ticket="t") == "/", "whoever it let in before is still in"
    browser.client.cookies.clear()
    assert "This login link was used before." in browser.send("/login/ticket", 401, ticket="t")


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-site", "origin": "null"}, {"sec-fetch-site": "cross-site"}, {}]
)
def test_a_ticket_comes_from_the_control_planes_page_as_well(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser.client.post("/login/ticket", data={"ticket": "t"}, headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_page_of_a_login_link_takes_the_ticket_from_behind_the_hash_or_pasted(browser: Browser) -> None:
    page = browser.open("/login/ticket")
    assert form_of(page, "/login/ticket") == {"ticket": ""}
    assert "data-link-secret" in page
    assert "data-send-at-once" in page
    assert '<script type="module" src="/static/site-' in page


def test_a_ticket_in_the_query_lets_nobody_in(browser: Browser) -> None:
    answer = browser.client.get("/login/ticket?ticket=t")
    assert (answer.status_code, answer.history) == (200, [])
    assert "set-cookie" not in answer.headers


def test_logging_out_ends_the_session_and_the_cookies(browser: Browser) -> None:
    assert browser.send("/logout") == "/login"


@pytest.mark.parametrize("path", ["/", "/collections/Customers?sort=-Value", "/users"])
def test_who_is_not_logged_in_comes_back_after_it(browser: Browser, world: World, path: str) -> None:
    world.signed_in = False
    answer = browser.client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    assert ("next=" in answer.headers["location"]) == (path != "/")


def test_a_link_from_another_site_asks_again_from_here(browser: Browser, world: World) -> None:
    world.signed_in = False
    answer = browser.client.get("/files", headers={"sec-fetch-site": "cross-site"}, follow_redirects=False)
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text


def test_the_first_visit_asks_how_to_begin_before_all_else(browser: Browser, world: World) -> None:
    page = browser.open("/")
    assert -1 < page.index("How do you want to begin?") < page.index("First steps")
    world.role = Role.MEMBER
    assert "An administrator or the owner can add the first one." in browser.open("/")


def test_home_shows_usage_collections_and_what_changed(browser: Browser, world: World) -> None:
    browser.customers()
    world.limit = Meter(8421, 10_000)
    page = browser.open("/")
    assert "8,421" in page
    assert "The plan is nearly used up: records 8,421 of 10,000" in page
    assert "Created collection" in page
    world.role = Role.MEMBER
    member = browser.open("/")
    assert "Recent changes" not in member
    assert "nearly used up" not in member, "who can do nothing about it is not told"
    assert 'href="/users"' not in member


def test_adding_rows_keeps_what_was_typed(browser: Browser) -> None:
    page = browser.send(
        "/new-collection", 200, action="add", name="Books", field__0__name="Title", field__0__type="text"
    )
    assert 'value="Books"' in page
    assert 'value="Title"' in page
    assert "field-1-name" in page
    page = browser.send("/new-collection", 200, action="remove-0", name="Books", field__0__name="Title")
    assert 'value="Title"' not in page


def test_a_collections_errors_stand_at_their_rows(browser: Browser, world: World) -> None:
    page = browser.send(
        "/new-collection",
        422,
        name="",
        field__0__name="",
        field__1__name="-9 lives",
        field__2__name="Colour",
        field__2__type="choice",
    )
    assert re.search(r'id="name-error".*?Must not be empty', page, re.DOTALL)
    assert re.search(r'id="field-1-error".*?Must not begin with', page, re.DOTALL)
    assert re.search(r'id="field-2-error".*?Choices must be 1 to', page, re.DOTALL)
    assert "field-0-error" not in page
    assert not world.collections


def test_a_collection_needs_a_field_of_a_known_type(browser: Browser) -> None:
    assert "The fields need at least one with a name." in browser.send("/new-collection", 422, name="Books")
    page = browser.send("/new-collection", 422, name="Books", field__0__name="x", field__0__type="exe")
    assert "The fields have no type exe." in page


def test_a_taken_name_is_said_beside_it(browser: Browser) -> None:
    browser.customers()
    page = browser.send("/new-collection", 409, name="Customers", field__0__name="x")
    assert re.search(r'id="name-error".*?Is the name of a collection that exists', page, re.DOTALL)


def test_deleting_a_collection_wants_its_name(browser: Browser, world: World) -> None:
    browser.customers()
    assert "Delete this collection" in browser.open("/collections/Customers/fields")
    page = browser.send("/collections/Customers/delete", 422, confirm="customers")
    assert "Type Customers to delete it." in page
    assert browser.send("/collections/Customers/delete", confirm="Customers") == "/collections"
    assert not world.collections


def test_only_administrators_define_collections(browser: Browser, world: World) -> None:
    browser.customers()
    world.role = Role.MEMBER
    page = browser.open("/new-collection", 403)
    assert "Only administrators and the owner of this workspace can add collections." in page
    browser.send("/new-collection", 403, name="x", field__0__name="y")
    browser.send("/collections/Customers/delete", 403, confirm="Customers")
    assert world.collections
    assert "Delete this collection" not in browser.open("/collections/Customers/fields")


def test_files_come_and_go(browser: Browser, world: World) -> None:
    assert "No files yet" in browser.open("/files")
    answer = browser.client.post("/files", files={"file": ("a <b>.txt", b"hello", "text/html")}, follow_redirects=False)
    assert answer.headers["location"] == "/files"
    page = browser.open("/files")
    assert "a &lt;b&gt;.txt" in page
    file_id = next(iter(world.files))
    download = browser.client.get(f"/files/{file_id}")
    assert download.content == b"hello"
    assert download.headers["content-disposition"].startswith("attachment")
    assert download.headers["content-type"] == "application/octet-stream"
    assert "The file is gone for good" in browser.open(f"/files/{file_id}/delete")
    browser.send(f"/files/{file_id}/delete")
    assert not world.files


def test_a_download_goes_on_where_it_stopped(browser: Browser, world: World) -> None:
    browser.client.post("/files", files={"file": ("a.bin", b"0123456789", "application/x-thing")})
    (file_id,) = world.files
    whole = browser.client.get(f"/files/{file_id}")
    assert (whole.status_code, whole.headers["accept-ranges"], whole.headers["content-length"]) == (200, "bytes", "10")
    tag = whole.headers["etag"]

    def part(**headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.client.get(f"/files/{file_id}", headers=sent)

    rest = part(range="bytes=4-", if_range=tag)
    assert (rest.status_code, rest.content, rest.headers["content-range"]) == (206, b"456789", "bytes 4-9/10")
    assert rest.headers["content-length"] == "6"
    assert rest.headers["etag"] == tag
    assert part(range="bytes=4-", if_range=whole.headers["last-modified"]).content == b"456789"
    for ignored in ({"if_range": '"another"'}, {"if_range": f"W/{tag}"}):
        assert (part(range="bytes=4-", **ignored).status_code, part(range="bytes=4-", **ignored).content) == (
            200,
            b"0123456789",
        )
    assert part(range="bytes=0-1,3-4").status_code == 200
    beyond = part(range="bytes=10-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10")
    assert part(if_match='"another"', range="bytes=0-1").status_code == 412
    assert part(if_none_match=tag, range="bytes=0-1").status_code == 304


def test_a_file_is_not_opened_for_who_reads_none_of_it(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.client.post("/files", files={"file": ("a.bin", b"0123456789")})
    (file_id,) = world.files
    whole = browser.client.get(f"/files/{file_id}")

    async def read(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(FakeFiles, "content", read)
    head = browser.client.head(f"/files/{file_id}", headers={"range": "bytes=0-1"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    assert browser.client.get(f"/files/{file_id}", headers={"if-none-match": whole.headers["etag"]}).status_code == 304


def test_an_upload_that_cannot_be(browser: Browser, world: World) -> None:
    assert "Choose a file first." in browser.client.post("/files", files={"other": ("a", b"")}).text
    answer = browser.client.post("/files", files={"file": ("a", b"x" * 1_000_001)})
    assert (answer.status_code, "at most" in answer.text) == (413, True)
    large = {"content-length": "999999999", "content-type": "multipart/form-data; boundary=b"}
    early = browser.client.post("/files", content=b"", headers=large)
    assert early.status_code == 413
    assert not world.files
    world.role = Role.VIEWER
    assert browser.client.post("/files", files={"file": ("a", b"x")}).status_code == 403


def test_people_are_added_changed_and_deactivated(browser: Browser, world: World) -> None:
    form = browser.open("/users/new")
    password = re.search(r'name="password"[^>]*value="([^"]+)"', form)
    assert password
    assert len(password[1]) >= 16
    browser.send("/users/new", email="grace@example.com", name="Grace", password=password[1], role="admin")
    page = browser.open("/users")
    assert "grace@example.com" in page
    assert "Give them the address" in page
    number = max(world.users)
    assert "Deactivate user" in browser.open(f"/users/{number}")
    browser.send(f"/users/{number}", role="viewer", name="Grace Hopper")
    assert world.users[number].role is Role.VIEWER
    browser.send(f"/users/{number}", active="false")
    assert "Reactivate user" in browser.open(f"/users/{number}")
    browser.send("/users/999", 404, active="false")


def test_a_users_errors(browser: Browser) -> None:
    page = browser.send("/users/new", 422, email="nobody", password="short", role="viewer")
    assert re.search(r'id="email-error".*?Enter an e-mail address', page, re.DOTALL)
    assert 'id="password-error"' in page
    assert 'value="nobody"' in page
    page = browser.send("/users/new", 409, email="ada@example.com", password=PASSWORD, role="viewer")
    assert "Is the address of an account that exists." in page
    assert "This is the last active owner" in browser.send("/users/1", 409, role="viewer", name="Ada")


def test_an_administrator_cannot_touch_an_owner(browser: Browser, world: World) -> None:
    world.role = Role.ADMIN
    page = browser.open("/users/1")
    assert "Only an owner can change owners and administrators" in page
    assert "Save changes" not in page
    form = browser.open("/users/new")
    assert 'value="member"' in form
    assert 'value="owner"' not in form
    world.role = Role.MEMBER
    for path in ("/users", "/users/new", "/users/1", "/audit"):
        assert "Only administrators" in browser.open(path, 403)


def test_a_full_plan_takes_the_way_to_more_users(browser: Browser, world: World) -> None:
    world.seats = 1
    page = browser.open("/users")
    assert "limit is reached: users 1 of 1" in page
    assert 'href="/users/new"' not in page.partition("<main")[2].partition("</main>")[0]


def test_what_is_nearly_full_is_not_called_full(browser: Browser, world: World) -> None:
    world.seats, world.limit = 1, Meter(8421, 10_000)
    page = browser.open("/usage")
    assert "limit is reached: users 1 of 1" in page
    assert "users 1 of 1, records" not in page


def test_the_audit_log_says_where_something_came_from(browser: Browser, world: World) -> None:
    world.note("session.refuse", "ada@example.com")
    page = browser.open("/audit?action=session")
    assert "Login refused" in page
    assert "203.0.113.7" in page


def test_the_audit_log_says_what_its_last_verification_found(browser: Browser, world: World) -> None:
    assert "has not been verified yet" in browser.open("/audit")
    intact = verification(1234, unsealed=1)
    world.verification = LastVerification(NOW, "ada@example.com", intact)
    page = browser.open("/audit")
    assert "Intact" in page
    assert "1,234 sealed entries compared; 1 entry is not sealed yet." in page
    problem = ChainProblem(Kind.EDITED, 17, "Entry 17 was changed after it was sealed.")
    changed = msgspec.structs.replace(intact, intact=False, problem=problem, erased=2, copied_from=("k3v9q2mzt7",))
    world.verification = LastVerification(NOW, "ada@example.com", changed)
    page = browser.open("/audit")
    for words in (
        "Not intact: edited",
        problem.message,
        "2 entries have a value that was erased",
        "restored as a copy",
    ):
        assert words in page


def test_a_verification_of_the_audit_log_is_a_job(browser: Browser, world: World) -> None:
    assert browser.send("/audit/verification").startswith("/jobs/")
    (number,) = world.jobs
    assert isinstance(world.orders[0], VerifyAuditLog)
    assert "Waiting for its turn" in browser.open(f"/jobs/{number}")
    found = msgspec.to_builtins(verification(3))
    for state, result, words in (("done", found, "Intact"), ("failed", None, "The log was not verified")):
        world.jobs[number] = msgspec.structs.replace(
            world.jobs[number], state=JobState(state), result=result, problem="The bucket does not answer."
        )
        assert words in browser.open(f"/jobs/{number}")


def test_the_audit_log_filters(browser: Browser) -> None:
    browser.customers()
    page = browser.open("/audit?action=collection&actor=ada&since=2026-01-01&until=nonsense")
    assert "Created collection" in page
    assert 'value="ada"' in page
    assert "Company · text" in page
    assert "No entry matches" in browser.open("/audit?action=file")


def test_own_password(browser: Browser) -> None:
    assert "Ada Lovelace" in browser.open("/account")
    page = browser.send("/account/password", 422, current_password="wrong", new_password="another long sentence")
    assert re.search(r'id="current_password-error".*?Is not your current password', page, re.DOTALL)
    assert "another long sentence" not in page
    assert browser.send("/account/password", current_password=PASSWORD, new_password="x") == "/account"


@pytest.mark.parametrize("role", Role)
def test_the_owner_is_led_to_where_plans_are_sold(browser: Browser, world: World, role: Role) -> None:
    world.role = role
    assert "Plan and invoices" not in browser.open("/usage"), "nothing is sold"
    world.plan_url = "https://vivero.example/account?workspace=acme"
    assert ('action="/usage/plan"' in browser.open("/usage")) is (role is Role.OWNER)
    policy = browser.client.get("/usage").headers["content-security-policy"]
    assert "form-action 'self' https://vivero.example" in policy
    answer = browser.client.post("/usage/plan", follow_redirects=False)
    if role is not Role.OWNER:
        assert answer.status_code == 403
        return
    page, _, ticket = answer.headers["location"].partition("#")
    assert (answer.status_code, page) == (303, "https://vivero.example/account/enter")
    assert answer.headers["cache-control"] == "no-store"
    public = public_half("0" * 64)
    claims = account_tickets.read(
        ticket, now(), lambda tenant: partial(is_signed, public) if tenant == "k3v9q2mzt1" else None
    )
    assert claims is not None
    assert account_tickets.read(ticket, now() + timedelta(minutes=3), lambda _: partial(is_signed, public)) is None


def test_where_nothing_is_sold_no_way_leads_there(browser: Browser) -> None:
    answer = browser.client.post("/usage/plan", follow_redirects=False)
    assert answer.status_code == 404


def test_a_colleague_who_asks_to_join_is_filled_in_for_an_invitation(browser: Browser, world: World) -> None:
    world.mail = True
    page = browser.open("/users/new?email=jane%2Bx%40company.example%22%3E")
    assert 'value="jane+x@company.example&#34;&gt;"' in page


@pytest.mark.parametrize("role", Role)
def test_the_owner_alone_is_asked_to_confirm_the_address(browser: Browser, world: World, role: Role) -> None:
    world.role = role
    assert "Confirm your e-mail address" not in browser.open("/"), "it is confirmed"
    world.confirm_url = "https://vivero.example/confirm/again?workspace=acme"
    page = browser.open("/")
    assert (f'href="{world.confirm_url}"' in page) is (role is Role.OWNER)


def test_usage_of_an_unlimited_plan(browser: Browser, world: World) -> None:
    world.limit = Meter(1_234_567, None)
    assert "used, no limit" in browser.open("/usage")


def test_errors_are_pages_that_give_away_nothing(browser: Browser, world: World) -> None:
    page = browser.open("/no/such/page", 404)
    assert "There is no such page" in page
    assert "Not Found" not in page
    world.failure = RuntimeError("secret inside")
    assert "secret inside" not in browser.open("/usage", 500)
    world.failure = UnavailableError("The database does not answer.")
    answer = browser.client.get("/usage")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "The database does not answer." in answer.text
    assert browser.client.post("/usage").status_code == 405


def test_pages_run_nothing_inline_and_stay_private(browser: Browser) -> None:
    browser.customers()
    for path in (
        "/login",
        "/",
        "/collections",
        "/new-collection",
        "/collections/Customers",
        "/files",
        "/users",
        "/audit",
        "/usage",
        "/account",
        "/nope",
    ):
        answer = browser.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text), path
        assert answer.text.count("<h1") == 1, path


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (timedelta(days=29, hours=5), "30 days of your trial left"),
        (timedelta(days=1), "1 day of your trial left"),
        (timedelta(seconds=-5), "Trial ended"),
    ],
)
def test_every_page_says_how_long_the_trial_lasts(browser: Browser, world: World, end: timedelta, words: str) -> None:
    world.trial_ends_at = datetime.now(UTC) + end
    for path in ("/", "/files", "/users", "/usage"):
        header = browser.open(path).partition("<header")[2].partition("</header>")[0]
        assert " ".join(re.sub(r"<[^>]+>", "", header).split()).count(words) == 1, path


def test_what_is_no_trial_says_nothing_of_one(browser: Browser) -> None:
    assert "rial" not in browser.open("/").partition("<header")[2].partition("</header>")[0]


def test_pages_say_whose_workspace_it_is(browser: Browser, world: World) -> None:
    for path in ("/login", "/"):
        page = browser.open(path)
        assert "Acme GmbH" in page
        assert "acme.vivero.localhost" in page
        assert "8443" not in page
    world.identity = Identity("Fish <&> Chips", "https://fish.example.com")
    for path in ("/login", "/"):
        page = browser.open(path)
        assert "Fish &lt;&amp;&gt; Chips" in page
        assert "fish.example.com" in page
        assert "Acme GmbH" not in page


def test_without_an_address_pages_show_the_one_that_was_asked_for(browser: Browser, world: World) -> None:
    world.identity = Identity("Workspace", "")
    for path in ("/login", "/"):
        answer = browser.client.get(path, headers={"host": "spare.example.com:8443"})
        assert "spare.example.com<" in answer.text, path
        answer = browser.client.get(path, headers={"host": '"><script>alert(1)</script>'})
        assert "<script>alert" not in answer.text
