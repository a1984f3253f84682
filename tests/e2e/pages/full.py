"""Both programs' pages over the services in memory of the unit tests, full of long words and of other scripts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from litestar import Litestar
from msgspec import UNSET, structs
from unit.control_plane.builders import tenant
from unit.control_plane.contract_builders import line as contract_line
from unit.control_plane_web import billing_fakes as paying
from unit.control_plane_web import contract_fakes as agreeing
from unit.control_plane_web import fakes as control
from unit.control_plane_web import figure_fakes as counting
from unit.control_plane_web import monitoring_fakes as measuring
from unit.control_plane_web import status_fakes as showing
from unit.control_plane_web import timeline_fakes as happening
from unit.data_plane.builders import OPTIONS
from unit.data_plane_web import fakes as data
from vivero_control.domain.accounts.backups import WorkspaceBackups
from vivero_control.domain.backups.schemas import OperationState
from vivero_control.domain.billing.schemas import SubscriptionStatus
from vivero_control.domain.contracts.schemas import AgreedLimits, QuoteState
from vivero_control.domain.dead_letters.service import DeadLetter
from vivero_control.domain.figures.policies import Visits
from vivero_control.domain.figures.service import Rows
from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.platform.service import DumpView, PlatformBackupView, PlatformState, ProofView, StateView
from vivero_control.domain.signups.schemas import SignupView, TenantRef, Waiting
from vivero_control.domain.staff.schemas import Invitation, InvitationState
from vivero_control.domain.status.schemas import IncidentState, IncidentView, UpdateView
from vivero_control.domain.support.service import Grant
from vivero_core.model.naming import SLUG_MAX_LENGTH
from vivero_data.domain.api_keys.schemas import Scope
from vivero_data.domain.audit.chain import ChainProblem
from vivero_data.domain.audit.chain import Kind as Change
from vivero_data.domain.audit.verification import LastVerification, Verification
from vivero_data.domain.collections import definition
from vivero_data.domain.collections.schemas import Collection, NewField
from vivero_data.domain.dashboards.schemas import Dashboard, ListTile, ReportTile, TextTile, Width
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.field_types.options import NONE
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.identity.service import Identity
from vivero_data.domain.records.schemas import Attachment, Record
from vivero_data.domain.report_mails.schemas import Every, ReportSchedule, Sending, SendingState, Subject
from vivero_data.domain.reports.definition import GROUPINGS
from vivero_data.domain.reports.schemas import Function, Grouping, Kind, Measure, Report
from vivero_data.domain.views.schemas import RowHeight, View, ViewKind
from vivero_data.domain.webhooks.schemas import Attempt, Event
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport

ARABIC = "شركة التجارة الدولية والنقل المحدودة فرع القاهرة الجديدة للاستيراد والتصدير والخدمات اللوجستية"
NAMES = (
    ARABIC,
    "हिन्दी ग्राहक संबंध प्रबंधन प्राइवेट लिमिटेड कंपनी और सभी शाखाएँ",
    "ห้างหุ้นส่วนจำกัดการค้าระหว่างประเทศและการขนส่งสินค้าทางทะเล",
    "北京市朝阳区国际贸易有限责任公司第一分公司采购部门",
    "👩‍👩‍👧‍👦 Family 🏳️‍🌈 & 🧑🏽‍💻 Söhne",
    "Rindfleischetikettierungsüberwachungsaufgabenübertragung",
    "W" * 64,
)
EMAIL = f"{'l' * 64}@{'long-name-of-a-host.' * 9}example"
SLUG = "d" * SLUG_MAX_LENGTH
URL = f"https://{SLUG}.vivero.localhost:8443"
VIEW = "https://as-of-k3v9q2mzt7.vivero.localhost:8443"
ERROR = f"MailServerUnavailableError: {'x' * 150} the server said 421 4.7.0, try again later"
LONG_LABEL = "Last call with the head of purchasing and sales"
TABLE = "Customers"


class _Signups(control.FakeSignups):
    """A signup of each state, by the name of the state."""

    def __init__(self) -> None:
        super().__init__()
        taken = f"The host {SLUG}.vivero.localhost belongs to the Tenant {SLUG}, which was there first."
        begun, hour = control.signup(3), timedelta(hours=1)
        waiting = Waiting(since=control.NOW - hour, next_attempt_at=control.NOW + hour, until=control.NOW + 9 * hour)
        self.views = {
            "begun": structs.replace(begun, steps=tuple(structs.replace(one, message=ERROR) for one in begun.steps)),
            "waiting": structs.replace(control.signup(0), waiting=waiting, detail="Your order is kept."),
            "failed": structs.replace(control.signup(4, "failed"), detail=taken),
            "ready": structs.replace(control.signup(7, "ready"), login_url=UNSET),
            "closed": structs.replace(control.signup(5, "ready"), login_url=UNSET),
        }

    async def get(self, signup_id: str, bearer: str | None = None) -> SignupView:
        view = structs.replace(self.views[signup_id], tenant=TenantRef(SLUG, SLUG, URL))
        self.stream = [view]
        return self._for(bearer, view)


def _backups(tenant: str) -> control.FakeBackups:
    """Of the tenant with the longest names; all that can go wrong has gone wrong."""
    name = f"{SLUG}-{'0' * 12}"
    said = {"message": f"Failed: dump: {ERROR}", "tenant": tenant}
    under_way = control.backup(
        name,
        0,
        tenant=tenant,
        state=OperationState.RUNNING,
        message=f"dump failed and is retried: {ERROR}",
        steps=control.steps("done", "failed", "waiting"),
    )
    into = {"target": f"{SLUG}-{'t' * 22}", "tenant": tenant}
    nowhere = {"target": None, "slug": None, "tenant": tenant}
    return control.FakeBackups(
        (
            under_way,
            *(control.failed_backup(f"{number}-{name}", number, **said) for number in range(1, 4)),
            *(control.backup(f"{number}-{name}", number, tenant=tenant, files=10**9) for number in range(4, 80)),
        ),
        (
            control.restore(name, 0, state=OperationState.WAITING, steps=(), message=ERROR, **into),
            control.restore(name, 3, backup=f"9-{name}", missing_files=123_456_789, files=10**9, **into),
            control.restore(name, 3, in_place=True, target=None, slug=None, switched_at=control.NOW, tenant=tenant),
            control.restore(name, 3, as_of=True, url=VIEW, expires_at=control.NOW, **nowhere),
            control.restore(name, 3, as_of=True, **nowhere),
            *(
                control.restore(name, number, state=OperationState.REFUSED, message=f"Refused: log: {ERROR}", **into)
                for number in range(4, 9)
            ),
        ),
        recovery=structs.replace(control.RECOVERY, proof_result="Failed", message=ERROR),
    )


def _platform() -> PlatformBackupView:
    """With as many dumps as are kept, under the longest names, and all that can be said of what went wrong."""
    dumps = tuple(
        DumpView(name=f"{'d' * 36}{number:04}", taken_at=control.NOW - timedelta(days=number)) for number in range(200)
    )
    said = f"The control plane's tables were not brought back as they are: {ERROR}"
    proof = ProofView(ended_at=control.NOW, result="Failed", message=ERROR, tables=None)
    state = StateView(number=123_456_789, stored_at=control.NOW, bytes=10**12)
    failed = PlatformState.NOT_RECOVERABLE
    return control.platform_backup(state=failed, message=said, dumps=dumps, proof=proof, stored=state, dumping=True)


def _figures() -> Rows:
    """Much of it, with long words and other scripts."""
    people = [
        counting.prospect(
            number,
            number / 5,
            company=NAMES[number % len(NAMES)],
            slug=SLUG,
            paid_at=control.NOW,
            source=f"{'x' * 90}{number % 9}",
            campaign=NAMES[number % len(NAMES)],
        )
        for number in range(300)
    ]
    bought = [(counting.subscribed(f"c{number}", 3, amount_cents=10**9), SLUG) for number in range(90)]
    dollars = (counting.subscribed("dollars", 3, amount_cents=10**9, currency="USD"), SLUG)
    return Rows(people, [*bought, dollars], [Visits(control.NOW.date(), LONG_LABEL, NAMES[5], 10**9)], control.NOW)


def _alerts() -> list[dict[str, object]]:
    """One of ours with long words, and one that is not ours, without any."""
    ours = measuring.alert("ViveroTenantDown", summary=f"Tenant {SLUG} is down", description=f"{ERROR} {NAMES[5]}")
    return [ours, measuring.alert(NAMES[6], severity="", summary="", description="", runbook="")]


_OFFER: Final[dict[str, Any]] = {
    "company": NAMES[5][:80],
    "address": f"{LONG_LABEL}\n{NAMES[0]}",
    "email": EMAIL,
    "order_number": "9" * 60,
    "plan": SLUG,
    "limits": AgreedLimits(records=10**12, users=10**9, storage_bytes=2**50, requests_per_minute=10**7),
    "lines": tuple(contract_line(10**9, 100_000, f"{number} {LONG_LABEL}"[:120]) for number in range(20)),
}


def _incidents() -> tuple[IncidentView, ...]:
    """One in each state, with long words and other scripts."""
    said = UpdateView(at=control.NOW, state=IncidentState.MONITORING, text=f"{ERROR}\n{NAMES[5]}")
    return tuple(
        showing.incident(
            number,
            state,
            title=f"{NAMES[number % len(NAMES)]} {LONG_LABEL}"[:120],
            ends_at=control.NOW,
            updates=(said,) * 3,
        )
        for number, state in enumerate(IncidentState, 1)
    )


def control_plane() -> Litestar:
    """The control plane's pages; everybody is logged in."""
    letters = tuple(
        DeadLetter(
            id=number,
            what="Mail “Your Vivero workspace could not be made”",
            recipient=f"{NAMES[number % len(NAMES)]}, {EMAIL}",
            error=ERROR,
            attempts=12_345,
            created_at=control.NOW - timedelta(hours=30),
            died_at=control.NOW - timedelta(hours=number),
            is_kept=number % 2 == 0,
        )
        for number in range(30)
    )
    gone = tuple(
        control.deleted(number, display_name=NAMES[number % len(NAMES)], slug=SLUG, owner_email=EMAIL)
        for number in range(30)
    )
    unsent = Invitation(state=InvitationState.UNSENT, expires_at=control.NOW)
    people = tuple(control.person(number, f"{number}{EMAIL}"[:254], invitation=unsent) for number in range(2, 30))
    tenants = tuple(
        control.row(f"t{number}-{SLUG}", display_name=NAMES[number % len(NAMES)], owner_email=EMAIL)
        for number in range(30)
    )
    billing = paying.FakeBilling(
        control.FakePlans(),
        paying.bought(SubscriptionStatus.CANCELED, 40, plan=NAMES[5], id=f"sub_{'x' * 60}"),
        workspace=tenant(displayName=NAMES[5], slug=SLUG, suspended={"reason": "Unpaid", "message": ERROR[:200]}),
    )
    billing.found = paying.differences(40, SLUG)
    return control.make_app(
        sessions=control.OpenDoor(),
        backups=_backups(f"t0-{SLUG}"),
        workspace_backups=WorkspaceBackups(_backups("acme"), lambda: control.NOW),
        signups=_Signups(),
        dead_letters=control.FakeDeadLetters(letters),
        deleted=control.FakeDeleted(gone),
        platform=control.FakePlatform(_platform()),
        figures=counting.FakeFigures(_figures()),
        monitoring=measuring.monitoring(names=NAMES, tenants=(SLUG, "acme"), alerts=_alerts()),
        status=showing.FakeStatus(incidents=_incidents()),
        quotes=agreeing.FakeQuotes(
            tuple(agreeing.quote(number, state, **_OFFER) for number, state in enumerate([*QuoteState] * 5, 1))
        ),
        contracts=agreeing.FakeContracts(
            *(agreeing.contract(number, None if number == 2 else f"t0-{SLUG}", **_OFFER) for number in range(1, 30))
        ),
        timeline=happening.FakeTimeline(happening.items(200, ERROR, *NAMES, EMAIL)),
        members=control.FakeMembers((control.PEOPLE[0], *people)),
        tenants=control.FakeTenants(tenants),
        billing=billing,
        accounts=paying.OpenAccounts(),
        managed=paying.FakeManaged(
            billing, *(tenant(f"t{number}", displayName=name[:80]) for number, name in enumerate(NAMES))
        ),
        second_factors=control.FakeSecondFactors(active=True, required=True),
        support_access=control.FakeSupportAccess(
            Grant(id="0" * 32, role="admin", granted_by=EMAIL[:254], granted_at=control.NOW, ends_at=control.NOW)
        ),
        workspace_deletion=paying.FakeDeletion(*(structs.replace(one, owner_email=paying.OWNER) for one in gone)),
        workspace_people=paying.FakePeople(*(f"{number}{EMAIL}"[:254] for number in range(20))),
    )


CONTROL_PAGES = (
    "/account",
    "/account/plan",
    "/account/plan?paid=false",
    "/account/backups",
    "/account/backups/back?into=place&moment=2026-11-20T10:00:00",
    "/account/backups/back?into=look&moment=2026-11-20T10:00:00",
    "/account/people",
    "/account/workspaces",
    "/account/data",
    "/account/support",
    "/account/settings",
    "/account/domains",
    "/account/open",
    "/account/enter",
    "/confirm",
    "/confirm/again?workspace=acme",
    "/account/change?plan=starter&interval=month",
    "/account/change?plan=professional&interval=year",
    "/account/cancel",
    "/account/pause",
    "/account/tax-ids",
    "/account/restart",
    "/login",
    "/contact",
    "/imprint",
    "/data-processing",
    "/sub-processors",
    "/privacy",
    "/terms",
    *(f"/signup/{state}" for state in ("begun", "waiting", "failed", "ready", "closed")),
    "/staff/dead-letters",
    "/staff/overview",
    "/staff/audit",
    "/staff/audit?action=suspend&since=2026-01-01",
    "/staff/billing",
    "/staff/deleted",
    f"/staff/deleted?undelete={control.DELETED[0].id}",
    "/staff/platform",
    "/staff/leads",
    f"/staff/leads/{7:032}",
    "/staff/figures",
    "/staff/figures/signup",
    "/staff/figures/paying",
    *(f"/staff/operations/{name}" for name in DASHBOARDS),
    f"/staff/operations/tenant?tenant={SLUG}&range=7d",
    "/staff/operations/tenant?tenant=unknown",
    "/staff/contracts",
    "/staff/contracts/1",
    "/staff/contracts/2",
    "/staff/invoices/",
    "/staff/invoices/2026-0001",
    "/staff/invoices/2026-0003",
    "/staff/quotes/new",
    "/staff/quotes/1",
    "/staff/quotes/1/edit",
    "/staff/quotes/2",
    "/quote",
    "/staff/status",
    "/staff/status/new",
    "/staff/status/1",
    "/status",
    "/staff/security",
    "/staff/webhooks",
    "/staff/webhooks/new",
    "/staff/webhooks/2",
    "/staff/people",
    f"/staff/people/{UUID(int=2)}",
    "/staff/tenants",
    "/staff/views",
    "/staff/views/new",
    "/staff/views/1",
    "/staff/acquisition",
    "/staff/orders/1",
    "/staff/orders/2",
    f"/staff/tenants/t0-{SLUG}/margin",
    "/staff/acquisition/costs",
    "/staff/acquisition/2026-11?channel=newsletter",
    "/staff/keys",
    "/staff/keys/new",
    "/staff/keys/2",
    "/staff/keys/3",
    f"/staff/tenants/t0-{SLUG}",
    f"/staff/tenants/t0-{SLUG}/backups",
    f"/staff/tenants/t0-{SLUG}/support",
    f"/staff/tenants/t0-{SLUG}/timeline",
    f"/staff/tenants/t0-{SLUG}/timeline?kind=mail",
    f"/staff/tenants/t0-{SLUG}/bring-back",
    f"/staff/tenants/t0-{SLUG}/bring-back?backup=9-{SLUG}-{'0' * 12}",
    "/staff/backups",
    "/-/host/ended",
    "/-/host/away",
    "/-/host/starting",
)


def workspace(as_of: datetime | None = None) -> Litestar:
    """A workspace with a long name, many collections, and a table with a column of every type; as of a second, if one is given."""
    world = data.World()
    world.identity = Identity(NAMES[5], URL, as_of)
    for number, every in enumerate(Every, 1):
        world.schedules[number] = ReportSchedule(
            number,
            Subject.REPORT,
            number,
            NAMES[number],
            (EMAIL, "ada@example.com"),
            every,
            7,
            2,
            31,
            active=number != 1,
            next_at=data.NOW + timedelta(days=number) if number != 1 else None,
            ended="Its report was deleted." if number == 1 else "",
            problem=ERROR if number != 2 else "",
            owner=EMAIL,
            created_at=data.NOW,
        )
    world.sendings = [
        Sending(number, data.NOW, EMAIL, state, ERROR if number % 2 else "", data.NOW)
        for number, state in enumerate(SendingState)
    ]
    world.workspace_exports.append(
        WorkspaceExport(1, 10**12, 10**7, 10**5, EMAIL, data.NOW - timedelta(days=1), data.NOW + timedelta(days=6))
    )
    hooks = data.FakeWebhooks(world)
    for number in range(3):
        since = data.NOW - timedelta(days=6) if number else None
        url = f"https://{'hooks.' * 30}example.com/{'path/' * 50}{number}"
        hooks.add(url, [*Event], collection=NAMES[number], active=number != 1, failing_since=since)
    world.attempts = [
        Attempt(number, data.NOW, f"msg_{number}", Event.UPDATED, number, status, problem, data.NOW)
        for number, (status, problem) in enumerate([(204, ""), (500, "It answered 500."), (None, ERROR)] * 8)
    ]
    keys = data.FakeApiKeys(world)
    for number, name in enumerate(NAMES):
        until = data.NOW + timedelta(days=1) if number == 1 else None
        keys.add(name, [*Scope], valid_days=number * 30, last_used_at=data.NOW, previous_until=until)
    kinds = (*FieldType, FieldType.TEXT, FieldType.TEXT)
    labels = ("Company", LONG_LABEL, *(f"{name[:40]} {number}" for number, name in enumerate(NAMES * 3)))
    fields = [
        NewField(
            name=label,
            type=kind,
            required=kind is FieldType.INTEGER,
            choices=list(NAMES) if kind.kind.has_choices else [],
            options=OPTIONS.get(kind, NONE),
        )
        for label, kind in zip(labels, kinds, strict=False)
    ]
    _add(world, TABLE, fields)
    for number in range(30):
        values = {one.name: _value(one.type, NAMES[number % len(NAMES)]) for one in fields}
        world.records[TABLE][number] = Record(number, 1, values, data.NOW, data.NOW)
    world.attachments[0] = [
        Attachment(one.id, one.name, one.size, one.media_type, attached_at=data.NOW, attached_by=EMAIL)
        for name in NAMES
        for one in _files(name)
    ]
    for number, name in enumerate(NAMES, 1):
        _add_view(world, number, name[:64])
    for number, kind in enumerate(Kind, 1):
        _add_report(world, number, kind)
    tiles: tuple[ReportTile | ListTile | TextTile, ...] = (
        *map(ReportTile, world.reports),
        ReportTile(99),
        ListTile(TABLE),
        TextTile(LONG_LABEL * 20, Width.FULL),
    )
    world.dashboards[1] = Dashboard(
        1, NAMES[4], tiles, shared=True, home=True, owner=EMAIL, created_at=data.NOW, updated_at=data.NOW
    )
    for number, name in enumerate(NAMES * 4):
        _add(world, f"{name[:60]} {number}", [NewField(name="Name", type=FieldType.TEXT)])
    problem = ChainProblem(Change.REWRITTEN, 17, f"Seal 3 is not the one whose hash has been in the bucket. {ERROR}")
    found = Verification(
        intact=False, entries=10**9, seals=10**6, unsealed=10**5, erased=3, anchors=9, copied_from=(SLUG,), head="a" * 64,
        problem=problem,
    )  # fmt: skip
    world.favourites.add(TABLE)
    world.favourite_views |= {1, 2}
    world.verification = LastVerification(data.NOW, EMAIL, found)
    world.note("record.update", f"{NAMES[6]}/17", {LONG_LABEL: NAMES[5]}, {LONG_LABEL: NAMES[0]})
    return data.make_app(world)


def _add(world: data.World, name: str, fields: list[NewField]) -> None:
    made = tuple(definition.as_field(one, world.next_id()) for one in fields)
    world.collections[name] = Collection(world.next_id(), name, NAMES[1] * 3, made, 0, data.NOW)
    world.records[name] = {}


def _add_view(world: data.World, number: int, name: str) -> None:
    """A condition of two and one of long words, of a field that is gone besides."""
    first = world.collections[TABLE].fields[0].name
    long = {"field": first, "operator": "ne", "value": NAMES[5] * 4}
    either = {"any": [{"field": first, "operator": "filled"}, {"field": first, "operator": "in", "value": [*NAMES]}]}
    world.views[number] = (
        TABLE,
        View(
            id=number,
            name=name,
            kind=ViewKind.GRID,
            columns=(),
            where={"all": [long, either]} if number == 1 else None,
            search="",
            sort=(first,),
            group_by=None,
            folded=(),
            sums={},
            start=None,
            end=None,
            height=RowHeight.NORMAL,
            shared=number != 1,
            default=False,
            locked=False,
            position=number,
            owner_id=1,
            gone=(LONG_LABEL,) if number == 1 else (),
            broken=False,
            problems=(),
            created_at=data.NOW,
            updated_at=data.NOW,
        ),
    )


def _add_report(world: data.World, number: int, kind: Kind) -> None:
    """Long names over people's words, in two directions."""
    fields = world.collections[TABLE].fields
    second = next(one.name for one in fields if one.type is FieldType.CHOICE)
    by = (Grouping(fields[0].name), Grouping(second))[: GROUPINGS[kind][1]]
    world.reports[number] = Report(
        group_by=by,
        measures=(Measure(Function.COUNT), Measure(Function.COUNT, LONG_LABEL)),
        kind=kind,
        id=number,
        name=NAMES[number % len(NAMES)][:64],
        description=NAMES[1] * 3,
        collection=TABLE,
        owner=EMAIL,
        shared=True,
        problem="Fields that it needs are gone: " + ", ".join(NAMES) if kind is Kind.PIVOT else "",
        created_at=data.NOW,
        updated_at=data.NOW,
    )


def _files(words: str) -> list[RecordFile]:
    """A document and a picture."""
    kinds = ("application/pdf", "image/png")
    return [RecordFile(letter * 26, f"{words}.{letter}", 10**9, kind) for letter, kind in zip("ab", kinds, strict=True)]


def _value(kind: FieldType, words: str) -> object:
    """A long one, where the type allows."""
    given: dict[FieldType, object] = {
        FieldType.NUMBER: 99_999_999_999_999,
        FieldType.INTEGER: 10**15,
        FieldType.CHOICES: [words],
        FieldType.LINK: Linked(1, words),
        FieldType.PERSON: Linked(1, words),
        FieldType.AUTONUMBER: "INV-00017",
        FieldType.MONEY: Decimal("9999999999999999.99"),
        FieldType.BOOLEAN: True,
        FieldType.DATE: "2026-11-22",
        FieldType.DATETIME: "2026-11-22T15:41:00Z",
        FieldType.EMAIL: EMAIL,
        FieldType.URL: f"https://example.com/{'a' * 300}",
        FieldType.FILE: _files(words),
    }
    return given.get(kind, words)


PAST_PAGES = ("/login", "/", f"/collections/{TABLE}", f"/collections/{TABLE}/records/0", "/files", "/account")
WORKSPACE_PAGES = (
    "/login",
    "/login/ticket",
    "/login/support",
    "/forgotten-password",
    "/set-password",
    "/",
    "/collections",
    f"/collections/{TABLE}",
    f"/collections/{TABLE}?view=1",
    f"/collections/{TABLE}/filter?shown=view%3D1",
    f"/collections/{TABLE}/views/1",
    f"/collections/{TABLE}/new",
    f"/collections/{TABLE}/records/0",
    f"/collections/{TABLE}/records/6",
    f"/collections/{TABLE}/fields",
    f"/collections/{TABLE}/new-field",
    "/trash",
    "/reports",
    "/reports/new",
    "/reports/1?do=delete",
    *(f"/reports/{number}" for number in range(1, len(Kind) + 1)),
    "/reports/2/edit",
    "/dashboards",
    "/dashboards/1",
    "/dashboards/1/edit",
    "/dashboards/1/edit?do=delete",
    "/templates",
    "/users",
    "/audit",
    "/usage",
    "/account/security",
    "/account/notation",
    "/report-schedules",
    "/report-schedules/new?subject=report-2",
    "/report-schedules/1",
    "/report-schedules/2",
    "/stop-mails/1.2.xyz",
    "/workspace-export",
    "/webhooks",
    "/webhooks/new",
    "/webhooks/2",
    "/account/keys",
    "/help",
    "/help?q=nothing+has+these+words",
    "/help/fields",
    "/help/api",
    "/developers",
    "/developers?q=nothing+has+these+words",
    "/developers/routes/records",
    f"/developers/collections/{TABLE}",
    "/account/keys/new",
    "/account/keys/5",
    "/no-such-page",
)
