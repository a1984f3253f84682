"""A workspace in memory behind the real pages: the services' names and errors, without database, bucket or cache."""

# ruff: noqa: ARG001, ARG002, ANN401  the fakes keep the signatures of the services they stand for

import builtins
from base64 import b32encode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from support.counting import unlimited
from support.filter_trees import holds
from unit.data_plane_web.fake_imports import FakeExports, FakeImports
from vivero_data.domain.api_keys.schemas import ApiKey, CreatedApiKey, NewApiKey, Scope
from vivero_data.domain.api_keys.service import ApiKeyService, check_new_key
from vivero_data.domain.audit.schemas import AuditEntry, AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.audit.verification import LastVerification
from vivero_data.domain.audit.verifying import VerifyAuditLog
from vivero_data.domain.auth.guards import BEARER_OR_COOKIE
from vivero_data.domain.auth.schemas import Credentials, WrongCredentialsError
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.collections import definition
from vivero_data.domain.collections.controllers import CollectionController
from vivero_data.domain.collections.fields import FieldService, LastFieldError, Trial, tried
from vivero_data.domain.collections.formulas import defined, is_formula
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import (
    Collection,
    CollectionChanges,
    CollectionQuery,
    CollectionSummary,
    Field,
    FieldChange,
    FieldChanges,
    NewCollection,
    NewField,
    parse,
    present,
)
from vivero_data.domain.collections.service import (
    MAX_SUGGESTIONS,
    CollectionNameTakenError,
    CollectionNotFoundError,
    CollectionService,
    Made,
)
from vivero_data.domain.comments.schemas import Comment
from vivero_data.domain.comments.service import CommentService
from vivero_data.domain.dashboards.schemas import Dashboard, DashboardChanges, NewDashboard
from vivero_data.domain.dashboards.service import DashboardNotFoundError, DashboardService
from vivero_data.domain.email_changes.schemas import EmailChange
from vivero_data.domain.email_changes.service import EmailChangeService
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.files.controllers import FileController
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.files.service import FileService
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.imports.controllers import ImportUploadController
from vivero_data.domain.invitations.service import InvitationService, NewInvitation
from vivero_data.domain.jobs.registry import kind_of
from vivero_data.domain.jobs.repository import Job, JobState
from vivero_data.domain.jobs.service import JobNotFoundError, JobService
from vivero_data.domain.jobs.task import Task
from vivero_data.domain.limits.plan_page import PlanPage
from vivero_data.domain.limits.service import ANALYTICS, Limits, LimitService
from vivero_data.domain.links.service import LinkService, NoMailError
from vivero_data.domain.notation.person import PersonNotation, PersonNotationChanges, PersonNotationService
from vivero_data.domain.notation.service import (
    NotationService,
    SettingsChanges,
    WorkspaceSettings,
    require_zone,
    said_in,
)
from vivero_data.domain.records.access import everything
from vivero_data.domain.records.advice import Advice
from vivero_data.domain.records.batches import BatchService, checked
from vivero_data.domain.records.bulk import Action, Bulk
from vivero_data.domain.records.bulk import checked as check_bulk
from vivero_data.domain.records.controllers import RecordController
from vivero_data.domain.records.errors import (
    BatchConflictError,
    FieldConflictError,
    FieldPreconditionError,
    RecordNotFoundError,
)
from vivero_data.domain.records.export import Export
from vivero_data.domain.records.file_controllers import RecordFileController
from vivero_data.domain.records.files import RecordFileService
from vivero_data.domain.records.filters import AllOf, AnyOf, Not, Tree, parse_filter, parse_where
from vivero_data.domain.records.finder import MAX_FOUND, SHORTEST, FoundRecord, RecordFinder, name_field
from vivero_data.domain.records.groups import Heading
from vivero_data.domain.records.held import as_record_file, file_fields
from vivero_data.domain.records.indexing import AddIndex
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.lists import COUNTED, SlowListError, conditions, total_column
from vivero_data.domain.records.merging import base_of, clashing
from vivero_data.domain.records.neighbours import Neighbours
from vivero_data.domain.records.references import Related
from vivero_data.domain.records.schemas import (
    Attachment,
    Record,
    RecordBatch,
    RecordChange,
    RecordChanges,
    RecordCount,
    RecordFiles,
    RecordQuery,
    Total,
    WrittenBatch,
    WrittenRecord,
)
from vivero_data.domain.records.selections import BulkService, Done
from vivero_data.domain.records.service import RecordService, as_typed, columns_for
from vivero_data.domain.recovery.service import RecoveryService
from vivero_data.domain.report_mails.schemas import (
    NewReportSchedule,
    ReportSchedule,
    ReportScheduleChanges,
    ReportScheduleNotFoundError,
    Sending,
)
from vivero_data.domain.report_mails.service import ReportMailService
from vivero_data.domain.reports.compiler import Statement, assemble, compile_report
from vivero_data.domain.reports.definition import check, check_names
from vivero_data.domain.reports.errors import ReportBrokenError, ReportNotFoundError
from vivero_data.domain.reports.schemas import Definition, NewReport, Report, ReportChanges, ReportData
from vivero_data.domain.reports.schemas import definition_of as definition_of_report
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.roles.definition import named_form, stored_form
from vivero_data.domain.roles.rights import OwnRole
from vivero_data.domain.roles.schemas import (
    NewRole,
    RoleChanges,
    RoleInUseError,
    RoleNotFoundError,
    WorkspaceRole,
)
from vivero_data.domain.roles.service import RoleService
from vivero_data.domain.samples.service import Sample, SampleService, SampleTakenError, template
from vivero_data.domain.second_factors.schemas import LoginRules, OwnFactorFirstError
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.sessions.schemas import SessionNotFoundError, SessionView
from vivero_data.domain.sessions.service import SessionService
from vivero_data.domain.support.service import SupportService
from vivero_data.domain.tickets.service import TicketService
from vivero_data.domain.trash.kinds import CannotRestoreError
from vivero_data.domain.trash.schemas import Restored, TrashItem
from vivero_data.domain.trash.service import TrashService
from vivero_data.domain.usage.published import Counted, LimitGroup, published
from vivero_data.domain.usage.service import Meter, Usage, UsageService
from vivero_data.domain.users.errors import EmailTakenError, LastOwnerError
from vivero_data.domain.users.schemas import (
    Actor,
    GivenRole,
    Invitation,
    NewUser,
    PasswordChange,
    Permission,
    Role,
    User,
    UserChanges,
    require_permission,
)
from vivero_data.domain.users.service import UserService, check_new, normal_email
from vivero_data.domain.views import spec
from vivero_data.domain.views.controllers import ViewController
from vivero_data.domain.views.schemas import NamedView, NewView, View, ViewChanges, ViewColumn
from vivero_data.domain.views.service import ViewNameTakenError, ViewNotFoundError, ViewService
from vivero_data.domain.webhooks.controllers import WebhookController
from vivero_data.domain.webhooks.schemas import (
    Attempt,
    CreatedWebhook,
    Event,
    NewWebhook,
    Webhook,
    WebhookChanges,
    WebhookNotFoundError,
)
from vivero_data.domain.webhooks.service import WebhookService
from vivero_data.domain.workspace_exports.job import KIND as WORKSPACE_EXPORT
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport, WorkspaceExportNotFoundError
from vivero_data.domain.workspace_exports.service import WorkspaceExportService
from vivero_data.errors import PlanLimitError
from vivero_data.lib.json import JsonRequest, JsonResponse, decode, encode
from vivero_data.lib.notation import Notation
from vivero_data.lib.pages import DEFAULT_LIMIT, Page
from vivero_data.lib.tokens import Tokens
from vivero_data.openapi import described
from vivero_data.settings import AppSecret, CacheSecret, DatabaseSecret, Environment, Settings, StorageSecret
from vivero_data.web.render import render_error
from vivero_data.web.routes import route_handlers
from vivero_web import totp
from vivero_web.api_keys import ApiKeyChanges, KeyNotFoundError, Rotation
from vivero_web.bodies import FORM_BYTES
from vivero_web.conditions import UNCONDITIONAL, Conditions, tag_of
from vivero_web.current_request import Proxies
from vivero_web.errors import (
    FieldError,
    InvalidInputError,
    LinkSpentError,
    NotFoundError,
    NotSignedInError,
    TooManyRequestsError,
)
from vivero_web.links import INVITATION_VALID_FOR, ChosenPassword, secret_in
from vivero_web.problem import Answers
from vivero_web.request_context import RequestContext
from vivero_web.second_factors import CodeNeededError, CodeRefusedError, Enrolment, SecondFactor, WrongCodeError
from vivero_web.webhook_sender import url_problem

NOW = datetime.now(UTC)
PASSWORD = "correct horse battery staple"


def session(number: int) -> SessionView:
    """A login; the actor's present one is the first."""
    device, address = ("Firefox on Linux", "203.0.113.7") if number % 2 else ("Safari on iPhone", "2001:db8:85a3::/64")
    seen = NOW - timedelta(hours=number - 1)
    return SessionView(number, device, address, seen - timedelta(days=1), seen, NOW + timedelta(days=30), number == 1)


class World:
    """What is stored, and who looks."""

    stop_token = "1.2.xyz"
    page_size = 50
    ids = 0
    own_notation = PersonNotation()

    def __init__(self) -> None:  # noqa: PLR0915  one line for each thing that there is
        self.role = Role.OWNER
        self.signed_in = True
        self.collections: dict[str, Collection] = {}
        self.records: dict[str, dict[int, Record]] = {}
        self.views: dict[int, tuple[str, View]] = {}
        self.slow: Advice | None = None
        self.files: dict[str, tuple[StoredFile, bytes]] = {}
        self.users: dict[int, User] = {
            1: User(1, "ada@example.com", "Ada Lovelace", Role.OWNER, active=True, created_at=NOW - timedelta(days=20))
        }
        self.favourites: set[str] = set()
        self.favourite_views: set[int] = set()
        self.roles: dict[int, OwnRole] = {}
        self.own: OwnRole | None = None
        self.trash: dict[int, TrashItem] = {}
        self.foreseen = FieldChange(None, 1)
        self.before: dict[int, tuple[str, dict[int, Record]]] = {}
        self.comments: dict[int, Comment] = {}
        self.attachments: dict[int, list[Attachment]] = {}
        self.touched: dict[tuple[str, int], dict[int, int]] = {}
        self.jobs: dict[int, Job] = {}
        self.imports: dict[int, Any] = {}
        self.readings: dict[int, Any] = {}
        self.import_orders: dict[int, Any] = {}
        self.now = NOW
        self.exported: Any = None
        self.api_keys: dict[int, ApiKey] = {}
        self.reports: dict[int, Report] = {}
        self.dashboards: dict[int, Dashboard] = {}
        self.factor = SecondFactor(active=False)
        self.webhooks: dict[int, Webhook] = {}
        self.schedules: dict[int, ReportSchedule] = {}
        self.sendings: list[Sending] = []
        self.stopped: list[str] = []
        self.workspace_exports: list[WorkspaceExport] = []
        self.attempts: list[Attempt] = []
        self.samples: list[Sample] = []
        self.sessions = {number: session(number) for number in (3, 2, 1)}
        self.orders: list[Task] = []
        self.entries: list[AuditEntry] = []
        self.verification: LastVerification | None = None
        self.limit = Meter(0, 10_000)
        self.seats = 5
        self.mail = False
        self.asked: list[str] = []
        self.links: set[str] = set()
        self.spent: set[str] = set()
        self.failure: Exception | None = None
        self.refusal: Exception | None = None
        self.login_failure: Exception | None = None
        self.trial_ends_at: datetime | None = None
        self.plan_url: str | None = None
        self.confirm_url: str | None = None
        self.features: tuple[str, ...] = (ANALYTICS,)
        self.settings = WorkspaceSettings("UTC", None, None)
        self.lacking = False
        self.login_rules = LoginRules(second_factor_required=False)
        self.identity = Identity("Acme GmbH", "https://acme.vivero.localhost:8443")

    def keep(self, name: str, fields: Iterable[NewField], rows: Sequence[Mapping[str, Any]]) -> None:
        """A collection with these rows as records 1, 2, …; what is made later has numbers above 1000."""
        made = tuple(definition.as_field(one, self.next_id()) for one in fields)
        self.collections[name] = Collection(self.next_id(), name, "", made, len(rows), NOW)
        empty = {field.name: None for field in made}
        self.records[name] = {
            number: Record(number, 1, {**empty, **row}, NOW, NOW) for number, row in enumerate(rows, 1)
        }
        self.ids = max(self.ids, 1000)

    def next_id(self) -> int:
        self.ids += 1
        return self.ids

    @property
    def actor(self) -> Actor:
        return Actor(1, "ada@example.com", "Ada Lovelace", self.role, 1, lacks_second_factor=self.lacking, own=self.own)

    def note(self, action: str, subject: str, before: Any = None, after: Any = None) -> None:
        number = self.next_id()
        entry = AuditEntry(
            number, NOW, self.actor.email, action, subject, before, after, "01JD3K9Q2MZT1VXA", "203.0.113.7"
        )
        self.entries.insert(0, entry)


class FakeAuth(AuthService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def login(self, credentials: Credentials, address: str) -> Tokens:
        if self.world.login_failure:
            raise self.world.login_failure
        if credentials.email == "blocked@example.com":
            raise TooManyRequestsError("Too many attempts to log in.", 30)
        if credentials.password != PASSWORD:
            raise WrongCredentialsError
        if self.world.factor.active:
            raise CodeNeededError("challenge")
        return Tokens("access", "refresh")

    async def finish(self, challenge: str, code: str) -> Tokens:
        if challenge != "challenge":
            raise NotSignedInError("That took too long. Enter your password once more.")
        if code != "123456":
            raise WrongCodeError
        return Tokens("access", "refresh")

    async def end_session(self, actor: Actor) -> None:
        """Nobody is asked afterwards."""


class FakeApiKeys(ApiKeyService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        return Page(list(reversed(self.world.api_keys.values())))

    async def get(self, actor: Actor, key_id: int) -> ApiKey:
        if key_id not in self.world.api_keys:
            raise KeyNotFoundError
        return self.world.api_keys[key_id]

    async def create(self, actor: Actor, new: NewApiKey) -> CreatedApiKey:
        scopes = check_new_key(actor, new)
        return self._secret(self.add(new.name.strip(), scopes, valid_days=new.valid_days))

    def add(self, name: str, scopes: Sequence[Scope], valid_days: int = 90, **changes: Any) -> ApiKey:
        number = self.world.next_id()
        until = NOW + timedelta(days=valid_days)
        made = ApiKey(number, name, f"viv_{number:08}", [*scopes], NOW, until, valid_days, **changes)
        self.world.api_keys[number] = made
        return made

    async def change(self, actor: Actor, key_id: int, changes: ApiKeyChanges) -> ApiKey:
        if not (changes.name or "").strip():
            raise InvalidInputError.of("name", "Say what the key is for.")
        renamed = msgspec.structs.replace(await self.get(actor, key_id), name=changes.name)
        self.world.api_keys[key_id] = renamed
        return renamed

    async def rotate(self, actor: Actor, key_id: int, rotation: Rotation) -> CreatedApiKey:
        until = NOW + rotation.overlap if rotation.overlap_hours else None
        rotated = msgspec.structs.replace(await self.get(actor, key_id), previous_until=until)
        self.world.api_keys[key_id] = rotated
        return self._secret(rotated)

    async def delete(self, actor: Actor, key_id: int) -> None:
        await self.get(actor, key_id)
        del self.world.api_keys[key_id]

    @staticmethod
    def _secret(key: ApiKey) -> CreatedApiKey:
        return CreatedApiKey(**msgspec.structs.asdict(key), token=f"{key.prefix}_{'x' * 38}")


class FakeSessions(SessionService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[SessionView]:
        return Page(list(self.world.sessions.values()))

    async def end(self, actor: Actor, session_id: int) -> None:
        if session_id not in self.world.sessions:
            raise SessionNotFoundError
        del self.world.sessions[session_id]

    async def end_others(self, actor: Actor) -> int:
        others = [number for number, session in self.world.sessions.items() if not session.current]
        for number in others:
            del self.world.sessions[number]
        return len(others)


class FakeSecondFactors(SecondFactorService):
    """The code is 123456."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def get(self, actor: Actor) -> SecondFactor:
        return self.world.factor

    async def is_active(self, actor: Actor, user_id: int) -> bool:
        return self.world.factor.active

    async def rules(self, actor: Actor) -> LoginRules:
        return self.world.login_rules

    async def change_rules(self, actor: Actor, rules: LoginRules) -> LoginRules:
        if rules.second_factor_required and not self.world.factor.active:
            raise OwnFactorFirstError
        self.world.login_rules = rules
        return rules

    async def begin(self, actor: Actor, password: str, address: str) -> Enrolment:
        self._check(password)
        return await self.pending(actor)

    async def pending(self, actor: Actor) -> Enrolment:
        return Enrolment(totp.shown(b"x" * 20), totp.uri(b"x" * 20, "acme.vivero.localhost", actor.email))

    async def confirm(self, actor: Actor, code: str) -> list[str]:
        if code != "123456":
            raise CodeRefusedError
        self.world.factor = SecondFactor(active=True, since=NOW, recovery_codes=10)
        return [f"abcd-efgh-ijkl-mnop-qrst-{number:04}-uv" for number in range(10)]

    async def renew_codes(self, actor: Actor, password: str, address: str) -> list[str]:
        self._check(password)
        return await self.confirm(actor, "123456")

    async def end(self, actor: Actor, password: str, address: str) -> None:
        self._check(password)
        self.world.factor = SecondFactor(active=False)

    async def reset(self, actor: Actor, user_id: int) -> None:
        self.world.factor = SecondFactor(active=False)

    @staticmethod
    def _check(password: str) -> None:
        if password != PASSWORD:
            raise InvalidInputError.of("current_password", "is not your current password")


class FakeWebhooks(WebhookService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[Webhook]:
        return Page(list(reversed(self.world.webhooks.values())))

    async def get(self, actor: Actor, webhook_id: int) -> Webhook:
        if webhook_id not in self.world.webhooks:
            raise WebhookNotFoundError
        return self.world.webhooks[webhook_id]

    async def create(self, actor: Actor, new: NewWebhook) -> CreatedWebhook:
        problem = url_problem(new.url)
        if problem:
            raise InvalidInputError.of("url", problem)
        return self._secret(self.add(new.url, new.events, collection=new.collection))

    def add(self, url: str, events: Sequence[Event], **changes: Any) -> Webhook:
        number = self.world.next_id()
        made = Webhook(number, url, None, [*events], active=True, created_at=NOW - timedelta(days=2))
        self.world.webhooks[number] = msgspec.structs.replace(made, **changes)
        return self.world.webhooks[number]

    async def change(self, actor: Actor, webhook_id: int, changes: WebhookChanges) -> Webhook:
        before = await self.get(actor, webhook_id)
        problem = url_problem(changes.url) if changes.url is not None else None
        if problem:
            raise InvalidInputError.of("url", problem)
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        self.world.webhooks[webhook_id] = msgspec.structs.replace(before, **given)
        return self.world.webhooks[webhook_id]

    async def renew_secret(self, actor: Actor, webhook_id: int) -> CreatedWebhook:
        return self._secret(await self.get(actor, webhook_id))

    async def delete(self, actor: Actor, webhook_id: int) -> None:
        await self.get(actor, webhook_id)
        del self.world.webhooks[webhook_id]

    async def attempts(
        self, actor: Actor, webhook_id: int, limit: int = 50, cursor: str | None = None
    ) -> Page[Attempt]:
        await self.get(actor, webhook_id)
        return Page(self.world.attempts)

    @staticmethod
    def _secret(webhook: Webhook) -> CreatedWebhook:
        return CreatedWebhook(**msgspec.structs.asdict(webhook), secret="whsec_" + "s" * 44)


class FakeEmailChanges(EmailChangeService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def ask(self, actor: Actor, change: EmailChange, address: str) -> None:
        if change.current_password != PASSWORD:
            raise InvalidInputError.of("current_password", "is not your current password")
        self.world.asked.append(change.email)

    async def confirm(self, code: str) -> None:
        if secret_in(code) not in self.world.links:
            raise LinkSpentError


class FakeTickets(TicketService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def redeem(self, ticket: str, address: str) -> Tokens:
        if ticket in self.world.spent:
            raise NotSignedInError("This login link was used before.")
        self.world.spent.add(ticket)
        return Tokens("access", "refresh")


class FakeSupport(SupportService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def enter(self, ticket: str) -> Tokens:
        if ticket in self.world.spent:
            raise NotSignedInError("This login link was used before.")
        self.world.spent.add(ticket)
        return Tokens("access", "", expires_in=60)


class FakeCollections(CollectionService):
    def __init__(self, world: World) -> None:
        self.world = world

    def _counted(self, found: Collection) -> Collection:
        return msgspec.structs.replace(found, records=len(self.world.records.get(found.name, {})) or found.records)

    async def list(self, actor: Actor) -> list[Collection]:
        return [self._counted(found) for found in self.world.collections.values()]

    def summaries(self, search: str) -> Sequence[CollectionSummary]:
        found = (self._counted(one) for one in self.world.collections.values() if fold(search) in fold(one.name))
        made = [
            CollectionSummary(one.id, one.name, one.description, len(one.fields), one.records, one.created_at)
            for one in found
        ]
        return sorted(made, key=lambda one: fold(one.name))

    async def browse(self, actor: Actor, query: CollectionQuery) -> Page[CollectionSummary]:
        found, start = self.summaries(query.search), int(query.cursor or 0)
        end = start + min(query.limit, self.world.page_size)
        return Page(list(found[start:end]), str(end) if len(found) > end else None, len(found))

    async def suggest(self, actor: Actor, words: str) -> Sequence[CollectionSummary]:
        return self.summaries(words)[:MAX_SUGGESTIONS]

    async def get(self, actor: Actor, name: str) -> Collection:
        if name not in self.world.collections:
            raise CollectionNotFoundError
        return self._counted(self.world.collections[name])

    async def create(self, actor: Actor, new: NewCollection, made: Any = None) -> Collection:
        new = definition.check(new)
        if new.name in self.world.collections:
            raise CollectionNameTakenError
        fields = tuple(definition.as_field(field, self.world.next_id()) for field in new.fields)
        created = Collection(self.world.next_id(), new.name, new.description, fields, 0, NOW - timedelta(days=3))
        self.world.collections[created.name] = created
        self.world.records[created.name] = {}
        fields_said = [{"name": field.name, "type": field.type.value} for field in fields]
        self.world.note("collection.create", created.name, None, {"name": created.name, "fields": fields_said})
        return created

    async def delete(self, actor: Actor, name: str, check: Made | None = None) -> int:
        assert check is None, "no page asks for one"
        del self.world.collections[name]
        self.world.note("collection.delete", name, {"name": name})
        return 1


class FakeFields(FieldService):
    """Changes definitions; of what becomes of values it tells what the test said beforehand."""

    def __init__(self, world: World) -> None:
        self.world = world

    def put(self, collection: Collection, fields: Iterable[Field], **changes: Any) -> Collection:
        made = msgspec.structs.replace(collection, fields=tuple(fields), **changes)
        del self.world.collections[collection.name]
        self.world.collections[made.name] = made
        self.world.records[made.name] = self.world.records.pop(collection.name, {})
        return made

    async def edit(self, actor: Actor, name: str, wanted: CollectionChanges, *, preview: bool = False) -> Collection:
        made = definition.edited(self.world.collections[name], wanted)
        if made.name != name and made.name in self.world.collections:
            raise CollectionNameTakenError
        return self.put(self.world.collections[name], made.fields, name=made.name, description=made.description)

    async def add(self, actor: Actor, name: str, new: NewField, *, preview: bool = False) -> FieldChange:
        collection = self.world.collections[name]
        made = definition.as_field(definition.check_field(collection, new), self.world.next_id())
        made = defined(made, collection.fields) if is_formula(made) else made
        self.put(collection, [*collection.fields, made])
        return FieldChange(made, 0)

    async def try_formula(self, actor: Actor, name: str, text: str, number: int = 0) -> Trial:
        return tried(self.world.collections[name], text, number)

    async def change(
        self, actor: Actor, name: str, field: str, wanted: FieldChanges, *, preview: bool = False
    ) -> FieldChange:
        collection = self.world.collections[name]
        before = next(one for one in collection.fields if one.name == field)
        after = definition.changed(collection, before, wanted)
        if preview:
            return msgspec.structs.replace(self.world.foreseen, field=after)
        self.put(collection, [after if one is before else one for one in collection.fields])
        return FieldChange(after, 1, undo=self._trash("field_change", f"{after.name} of {name}"))

    async def delete(self, actor: Actor, name: str, field: str, *, preview: bool = False) -> FieldChange:
        collection = self.world.collections[name]
        if len(collection.fields) == 1:
            raise LastFieldError
        self.put(collection, [one for one in collection.fields if one.name != field])
        return FieldChange(None, 1, undo=self._trash("field", f"{field} of {name}"))

    def _trash(self, kind: str, name: str) -> int:
        number = self.world.next_id()
        self.world.trash[number] = TrashItem(
            number, kind, name, 0, NOW, "ada@example.com", NOW + timedelta(days=30), restorable=True
        )
        return number


class FakeTrash(TrashService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, search: str = "", limit: int = 50, cursor: str | None = None) -> Page[TrashItem]:
        return Page([one for one in self.world.trash.values() if fold(search) in fold(one.name)])

    async def restore(self, actor: Actor, entry_id: int) -> Restored:
        entry = self.world.trash[entry_id]
        if not entry.restorable:
            raise CannotRestoreError(entry.reason or "")
        del self.world.trash[entry_id]
        if entry_id in self.world.before:
            collection, before = self.world.before.pop(entry_id)
            self.world.records[collection] = before
        return Restored(entry.kind, entry.name)


def _named(world: World, number: int) -> NamedView:
    collection, view = world.views[number]
    return NamedView(number, view.name, view.kind, collection)


class FakeFavourites(FavouriteService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor) -> list[CollectionSummary]:
        return [one for one in FakeCollections(self.world).summaries("") if one.name in self.world.favourites]

    async def views(self, actor: Actor) -> builtins.list[NamedView]:
        return [_named(self.world, number) for number in sorted(self.world.favourite_views & self.world.views.keys())]

    async def add_view(self, actor: Actor, name: str, view_id: int) -> None:
        self.world.favourite_views.add(view_id)

    async def remove_view(self, actor: Actor, name: str, view_id: int) -> None:
        self.world.favourite_views.discard(view_id)

    async def add(self, actor: Actor, name: str) -> None:
        self.world.favourites.add(name)

    async def remove(self, actor: Actor, name: str) -> None:
        self.world.favourites.discard(name)


class FakeFinder(RecordFinder):
    def __init__(self, world: World) -> None:
        self.world = world

    async def find(self, actor: Actor, words: str) -> list[FoundRecord]:
        found = []
        for name, records in self.world.records.items():
            field = name_field(self.world.collections[name])
            for one in records.values() if field else []:
                called = str(one.values[field.name] or "") if field else ""
                if len(words) >= SHORTEST and fold(called).startswith(fold(words)):
                    found.append(FoundRecord(name, one.id, called))
        return found[:MAX_FOUND]


def _value(collection: Collection, record: Record, field_id: int) -> Any:
    return next(record.values.get(field.name) for field in collection.fields if field.id == field_id)


def _typed(collection: Collection, tree: Tree) -> Tree:
    """The same conditions with values as records have them."""
    if isinstance(tree, Not):
        return Not(_typed(collection, tree.part))
    if isinstance(tree, AllOf):
        return AllOf(tuple(_typed(collection, part) for part in tree.all))
    if isinstance(tree, AnyOf):
        return AnyOf(tuple(_typed(collection, part) for part in tree.any))
    field = next(one for one in collection.fields if one.name == tree.field)
    if tree.operator in {"empty", "filled", "contains", "starts"}:
        return tree
    value = [present(field, parse(field, one)) for one in (tree.value if tree.operator == "in" else [tree.value])]
    return msgspec.structs.replace(tree, value=value if tree.operator == "in" else value[0])


class FakeViews(ViewService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(
        self, actor: Actor, collection: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[View]:
        found = [one for name, one in self.world.views.values() if name == collection]
        seen = [one for one in found if one.shared or one.owner_id == actor.user_id]
        return Page(sorted(seen, key=lambda one: (one.position, one.id)))

    async def get(self, actor: Actor, collection: str, view_id: int) -> View:
        found = [one for one in (await self.list(actor, collection)).items if one.id == view_id]
        if not found:
            raise ViewNotFoundError
        return found[0]

    async def find(self, actor: Actor, words: str) -> builtins.list[NamedView]:
        found = [_named(self.world, number) for number in self.world.views]
        return [one for one in found if words and words.casefold() in one.name.casefold()]

    async def create(self, actor: Actor, collection: str, new: NewView) -> View:
        spec.check(self.world.collections[collection], new.spec)
        spec.check_kind(self.world.collections[collection], new.spec)
        if not new.name.strip():
            raise InvalidInputError.of("name", "must not be empty")
        if any(one.name == new.name for one in (await self.list(actor, collection)).items):
            raise ViewNameTakenError
        said = msgspec.structs.asdict(new)
        number = self.world.next_id()
        said |= {"id": number, "position": number, "owner_id": actor.user_id, "gone": (), "broken": False}
        said["problems"] = ()
        made = View(**said, created_at=NOW, updated_at=NOW)
        self.world.views[number] = (collection, made)
        return made

    async def change(self, actor: Actor, collection: str, view_id: int, changes: ViewChanges) -> View:
        said = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
        if "widths" in said:
            before, widths = await self.get(actor, collection, view_id), said.pop("widths")
            columns = before.columns or [ViewColumn(one.name) for one in self.world.collections[collection].fields]
            said["columns"] = [ViewColumn(one.field, widths.get(one.field, one.width)) for one in columns]
        changed = msgspec.structs.replace(await self.get(actor, collection, view_id), **said)
        spec.check(self.world.collections[collection], changed.spec)
        self.world.views[view_id] = (collection, changed)
        return changed

    async def delete(self, actor: Actor, collection: str, view_id: int) -> int | None:
        view = await self.get(actor, collection, view_id)
        del self.world.views[view_id]
        return 7 if view.shared else None


def _totals(found: Sequence[Record], wanted: Mapping[str, Total]) -> dict[str, Any]:
    values = {name: [one.values[name] for one in found if one.values[name] is not None] for name in wanted}
    return {name: len(values[name]) if total == "count" else sum(values[name]) for name, total in wanted.items()}


class FakeRecords(RecordService):
    def __init__(self, world: World) -> None:
        self.world = world

    def _parsed(self, name: str, given: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
        collection = self.world.collections[name]
        columns = columns_for(collection, given, new=new)
        values = {field.name: present(field, columns[field.id]) for field in collection.fields if field.id in columns}
        for field in file_fields(collection):
            if values.get(field.name):
                values[field.name] = [self._listed(field, file) for file in values[field.name]]
        return values

    def _listed(self, field: Field, file: RecordFile) -> RecordFile:
        if file.id not in self.world.files:
            raise InvalidInputError.of(field.name, f"has {file.id}, which is no file of the list")
        return as_record_file(self.world.files[file.id][0])

    async def list(self, actor: Actor, collection: str, query: RecordQuery) -> Page[Record]:
        known = {"id", *(field.name for field in self.world.collections[collection].fields)}
        if self.world.slow and not query.allow_slow:
            raise SlowListError(self.world.slow)
        if query.sort and query.sort.lstrip("-") not in known:
            raise InvalidInputError.of("sort", "there is no such field")
        found = list(self.world.records[collection].values())
        found = self._matching(self.world.collections[collection], found, query)
        if query.sort:
            name = query.sort.lstrip("-")
            said = {one.id: f"{one.id:09}" if name == "id" else str(one.values.get(name)) for one in found}
            found.sort(key=lambda one: said[one.id], reverse=query.sort.startswith("-"))
        start = int(query.cursor or 0)
        items = found[start : start + self.world.page_size]
        more = len(found) > start + self.world.page_size
        return Page(items, str(start + self.world.page_size) if more else None)

    async def count(self, actor: Actor, collection: str, query: RecordQuery, *, exact: bool = False) -> RecordCount:
        found = list(self.world.records[collection].values())
        number = len(self._matching(self.world.collections[collection], found, query))
        if number > COUNTED and not exact:
            return RecordCount(COUNTED, exact=False)
        return RecordCount(None, exact=False) if self.world.slow and not exact else RecordCount(number, exact=True)

    async def totals(
        self, actor: Actor, collection: str, query: RecordQuery, wanted: Mapping[str, Total]
    ) -> dict[str, Any]:
        definition = self.world.collections[collection]
        for name, total in wanted.items():
            total_column(definition, name, total)
        return _totals(self._matching(definition, [*self.world.records[collection].values()], query), wanted)

    async def headings(
        self,
        actor: Actor,
        collection: str,
        query: RecordQuery,
        sums: Mapping[str, Total],
        records: Sequence[Record],
        folded: Sequence[Any],
    ) -> Sequence[Heading]:
        name, ids = query.sort.lstrip("-"), {one.id for one in records}
        groups: dict[Any, list[Record]] = {}
        matching = self._matching(self.world.collections[collection], [*self.world.records[collection].values()], query)
        for one in sorted(matching, key=lambda one: str(one.values[name])):
            groups.setdefault(one.values[name], []).append(one)
        return [
            Heading(value, tuple(one.id for one in own if one.id in ids), len(own), _totals(own, sums))
            for value, own in groups.items()
            if value in folded or any(one.id in ids for one in own)
        ]

    def _matching(
        self, collection: Collection, found: builtins.list[Record], query: RecordQuery
    ) -> builtins.list[Record]:
        conditions(everything(self.world.actor, collection), query)  # refuses what is not valid
        trees = [one.condition for text in query.filters if (one := parse_filter(text))]
        seen = query.narrowing.where if query.narrowing else None
        tree = AllOf((*trees, *([parse_where(query.where)] if query.where else []), *([seen] if seen else [])))
        words = query.search.casefold().split()
        return [
            one
            for one in found
            if (not tree.all or holds(_typed(collection, tree), one.values))
            and all(any(word in str(value).casefold() for value in one.values.values()) for word in words)
        ]

    async def get(self, actor: Actor, collection: str, record_id: int) -> Record:
        found = self.world.records[collection].get(record_id)
        if found is None:
            raise RecordNotFoundError
        return found

    async def create(self, actor: Actor, collection: str, values: Mapping[str, Any]) -> Record:
        if self.world.limit.limit is not None and self.world.limit.used >= self.world.limit.limit:
            raise PlanLimitError("The trial plan includes 10,000 records, and they are used up.")
        parsed = self._parsed(collection, values, new=True)
        number = self.world.next_id()
        made = Record(number, 1, parsed, NOW - timedelta(minutes=90), NOW - timedelta(minutes=7))
        self.world.records[collection][number] = made
        self.world.note("record.create", f"{collection}/{number}", None, parsed)
        return made

    async def update(
        self,
        actor: Actor,
        collection: str,
        record_id: int,
        changes: RecordChanges,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Record:
        before = await self.get(actor, collection, record_id)
        base = base_of(conditions, changes.version, before.version)
        definition = self.world.collections[collection]
        values = as_typed(definition, changes.values) if changes.typed else changes.values
        parsed = self._parsed(collection, values, new=False)
        touched = self.world.touched.setdefault((collection, record_id), {})
        columns = {field.id: parsed[field.name] for field in definition.fields if field.name in parsed}
        wanted = {number: value for number, value in columns.items() if value != _value(definition, before, number)}
        if not wanted:
            return before
        later = {number for number, version in touched.items() if base is not None and version > base}
        if found := clashing(definition, before, wanted, later):
            raise FieldPreconditionError(found) if conditions.match else FieldConflictError(found)
        touched |= dict.fromkeys(wanted, before.version + 1)
        after = msgspec.structs.replace(before, values={**before.values, **parsed}, version=before.version + 1)
        self.world.records[collection][record_id] = after
        self.world.note("record.update", f"{collection}/{record_id}", before.values, parsed)
        return after

    async def delete(
        self, actor: Actor, collection: str, record_id: int, conditions: Conditions = UNCONDITIONAL
    ) -> int:
        conditions.check(tag_of((await self.get(actor, collection, record_id)).version))
        entry, until = self.world.next_id(), NOW + timedelta(days=30)
        self.world.before[entry] = (collection, dict(self.world.records[collection]))
        self.world.trash[entry] = TrashItem(
            entry, "records", collection, 1, NOW, "ada@example.com", until, restorable=True
        )
        gone = self.world.records[collection].pop(record_id)
        self.world.note("record.delete", f"{collection}/{record_id}", gone.values)
        return entry

    async def some(self, actor: Actor, collection: str, record_ids: Sequence[int]) -> Sequence[Record]:
        stored = self.world.records[collection]
        return [stored[number] for number in record_ids if number in stored]

    async def neighbours(self, actor: Actor, collection: str, record_id: int, query: RecordQuery) -> Neighbours:
        found = (await self.list(actor, collection, query)).items
        place = next((index for index, one in enumerate(found) if one.id == record_id), None)
        if place is None:
            return Neighbours()
        before, behind = found[place - 1] if place else None, found[place + 1 : place + 2]
        return Neighbours(before, behind[0] if behind else None)

    async def history(
        self, actor: Actor, collection: str, record_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[RecordChange]:
        subject = f"{collection}/{record_id}"
        return Page(
            [
                RecordChange(one.id, one.at, one.actor, one.action, one.before, one.after)
                for one in self.world.entries
                if one.subject == subject
            ][:limit]
        )


class FakeComments(CommentService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(
        self, actor: Actor, collection: str, record_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Comment]:
        return Page(list(self.world.comments.values()))

    async def create(self, actor: Actor, collection: str, record_id: int, text: str) -> Comment:
        number = self.world.next_id()
        self.world.comments[number] = Comment(number, text, actor.name, actor.user_id, NOW, None)
        return self.world.comments[number]

    async def change(self, actor: Actor, collection: str, record_id: int, comment_id: int, text: str) -> Comment:
        before = self.world.comments[comment_id]
        self.world.comments[comment_id] = msgspec.structs.replace(before, text=text, edited_at=NOW)
        return self.world.comments[comment_id]

    async def delete(self, actor: Actor, collection: str, record_id: int, comment_id: int) -> None:
        del self.world.comments[comment_id]


class FakeBulk(BulkService):
    """At once, whatever matches; the world keeps what was before."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def start(self, actor: Actor, collection: str, bulk: Bulk) -> Done:
        definition, records = self.world.collections[collection], FakeRecords(self.world)
        values = as_typed(definition, {bulk.field: bulk.value}) if bulk.action is Action.EDIT else {}
        check_bulk(definition, bulk, values)
        before = dict(self.world.records[collection])
        for number in bulk.ids or tuple(before):
            if bulk.action is Action.EDIT:
                await records.update(actor, collection, number, RecordChanges(values))
            elif bulk.action is Action.DELETE:
                await records.delete(actor, collection, number)
            else:
                await records.create(actor, collection, decode(encode(before[number].values)))
        entry = self.world.next_id()
        until = NOW + timedelta(days=30)
        self.world.before[entry] = (collection, before)
        self.world.trash[entry] = TrashItem(
            entry, "record_changes", collection, len(before), NOW, "ada@example.com", until, restorable=True
        )
        return Done(len(bulk.ids or before), entry)


class FakeBatches(BatchService):
    """All rows or none, as the service has it."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def write(self, actor: Actor, collection: str, batch: RecordBatch) -> WrittenBatch:
        checked(self.world.collections[collection], batch)
        records, before = FakeRecords(self.world), dict(self.world.records[collection])
        errors: list[FieldError] = []
        done = WrittenBatch([], [], len(batch.delete))
        for gone in batch.delete:
            await records.delete(actor, collection, gone.id)
        for index, row in enumerate(batch.update):
            try:
                after = await records.update(
                    actor, collection, row.id, RecordChanges(row.values, row.version, batch.typed)
                )
                done.updated.append(WrittenRecord(after.id, after.version))
            except FieldConflictError as error:
                errors += [
                    msgspec.structs.replace(one, field=f"update[{index}].values.{one.field}") for one in error.errors
                ]
        definition = self.world.collections[collection]
        for new in batch.create:
            values = as_typed(definition, new.values) if batch.typed else new.values
            done.created.append(WrittenRecord((await records.create(actor, collection, values)).id, 1))
        if errors:
            self.world.records[collection] = before
            raise BatchConflictError(errors)
        return done


class FakeRecordFiles(RecordFileService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, collection: str, record_id: int) -> RecordFiles:
        record = self.world.records[collection][record_id]
        named = [field.name for field in self.world.collections[collection].fields if field.kind.uploaded]
        return RecordFiles(
            {name: record.values.get(name) or [] for name in named}, self.world.attachments.get(record_id, [])
        )

    async def get(self, actor: Actor, collection: str, record_id: int, file_id: str) -> StoredFile:
        return await FakeFiles(self.world).get(actor, file_id)

    async def check(self, actor: Actor, collection: str, record_id: int, field: str) -> None:
        await self.list(actor, collection, record_id)

    async def add(self, actor: Actor, collection: str, record_id: int, field: str, data: UploadFile) -> RecordFile:
        made = await FakeFiles(self.world).upload(actor, data)
        values = self.world.records[collection][record_id].values
        if field:
            values[field] = [*(values[field] or []), as_record_file(made)]
            return as_record_file(made)
        attached = Attachment(made.id, made.name, made.size, made.media_type, attached_at=NOW, attached_by=actor.name)
        self.world.attachments.setdefault(record_id, []).append(attached)
        return attached

    async def remove(self, actor: Actor, collection: str, record_id: int, field: str, file_id: str) -> int:
        values = self.world.records[collection][record_id].values
        if field:
            values[field] = [one for one in values[field] if one.id != file_id] or None
            return 1
        there = self.world.attachments.get(record_id, [])
        self.world.attachments[record_id] = [one for one in there if one.id != file_id]
        return 1


class FakeFiles(FileService):
    def __init__(self, world: World) -> None:
        self.world = world
        self.max_bytes = 1_000_000

    @asynccontextmanager
    async def upload_slot(self) -> AsyncIterator[None]:
        yield

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[StoredFile]:
        return Page([found for found, _ in self.world.files.values()])

    async def get(self, actor: Actor, file_id: str) -> StoredFile:
        if file_id not in self.world.files:
            raise NotFoundError("There is no such file.")
        return self.world.files[file_id][0]

    async def upload(self, actor: Actor, upload: UploadFile) -> StoredFile:
        return self.add(upload.filename, await upload.read(), upload.content_type or "")

    def add(self, name: str, content: bytes, media_type: str, size: int = 0) -> StoredFile:
        file_id = b32encode(self.world.next_id().to_bytes(16)).decode().rstrip("=").lower()
        made = StoredFile(file_id, name, size or len(content), media_type, NOW - timedelta(hours=3), "ada@example.com")
        self.world.files[file_id] = (made, content)
        self.world.note("file.upload", name, None, {"size": made.size})
        return made

    async def content(self, file: StoredFile, part: range | None = None) -> AsyncIterator[bytes]:
        async def pieces() -> AsyncIterator[bytes]:
            whole = self.world.files[file.id][1]
            yield whole[part.start : part.stop] if part else whole

        return pieces()

    async def delete(self, actor: Actor, file_id: str) -> None:
        await self.get(actor, file_id)
        del self.world.files[file_id]


class FakeJobs(JobService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def start(self, actor: Actor, permission: Permission, order: Task) -> Job:
        self.world.orders.append(order)
        if isinstance(order, VerifyAuditLog):
            return self.add("audit", JobState.WAITING, kind=kind_of(order))
        assert isinstance(order, Export | AddIndex)
        return self.add(order.collection, JobState.WAITING, kind=kind_of(order))

    def add(self, subject: str, state: JobState, **changes: Any) -> Job:
        number = self.world.next_id()
        made = Job(number, "export", subject, state, 0, None, None, None, NOW, None)
        self.world.jobs[number] = msgspec.structs.replace(made, **changes)
        return self.world.jobs[number]

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[Job]:
        return Page(list(reversed(self.world.jobs.values())))

    async def get(self, actor: Actor, job_id: int) -> Job:
        if job_id not in self.world.jobs:
            raise JobNotFoundError
        return self.world.jobs[job_id]


class FakeWorkspaceExports(WorkspaceExportService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def start(self, actor: Actor) -> Job:
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        return FakeJobs(self.world).add("workspace", JobState.WAITING, kind=WORKSPACE_EXPORT)

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[WorkspaceExport]:
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        return Page(list(self.world.workspace_exports))

    async def get(self, actor: Actor, export_id: int) -> WorkspaceExport:
        found = [one for one in (await self.list(actor)).items if one.id == export_id]
        if not found:
            raise WorkspaceExportNotFoundError
        return found[0]

    async def content(self, actor: Actor, export: WorkspaceExport, part: range | None = None) -> AsyncIterator[bytes]:
        async def pieces() -> AsyncIterator[bytes]:
            whole = b"PK" + bytes(export.size - 2)
            yield whole[part.start : part.stop] if part else whole

        return pieces()

    async def delete(self, actor: Actor, export_id: int) -> None:
        self.world.workspace_exports.remove(await self.get(actor, export_id))


class FakeReportMails(ReportMailService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[ReportSchedule]:
        return Page(list(reversed(self.world.schedules.values())))

    async def get(self, actor: Actor, schedule_id: int) -> ReportSchedule:
        if schedule_id not in self.world.schedules:
            raise ReportScheduleNotFoundError
        return self.world.schedules[schedule_id]

    async def sendings(
        self, actor: Actor, schedule_id: int, limit: int = 50, cursor: str | None = None
    ) -> Page[Sending]:
        await self.get(actor, schedule_id)
        return Page(self.world.sendings)

    async def create(self, actor: Actor, new: NewReportSchedule) -> ReportSchedule:
        if not new.recipients:
            raise InvalidInputError.of("recipients", "must name somebody")
        number = self.world.next_id()
        parts = msgspec.structs.asdict(new)
        name = self.world.reports[new.subject_id].name
        self.world.schedules[number] = ReportSchedule(
            **parts, id=number, name=name, next_at=NOW, ended="", problem="", owner=actor.email, created_at=NOW
        )
        return self.world.schedules[number]

    async def change(self, actor: Actor, schedule_id: int, changes: ReportScheduleChanges) -> ReportSchedule:
        before = await self.get(actor, schedule_id)
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
        self.world.schedules[schedule_id] = msgspec.structs.replace(before, **given)
        return self.world.schedules[schedule_id]

    async def delete(self, actor: Actor, schedule_id: int) -> None:
        await self.get(actor, schedule_id)
        del self.world.schedules[schedule_id]

    async def named(self, token: str) -> str:
        if token != self.world.stop_token:
            raise ReportScheduleNotFoundError
        return "Orders by month"

    async def stop(self, token: str) -> None:
        await self.named(token)
        self.world.stopped.append(token)


class FakeReports(ReportService):
    """Every group and figure is made up: twelve groups, of which the last is what is left of more."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._limits = FakeLimits(world)

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[Report]:
        return Page(list(reversed(self.world.reports.values())))

    async def get(self, actor: Actor, report_id: int) -> Report:
        if report_id not in self.world.reports:
            raise ReportNotFoundError
        return self.world.reports[report_id]

    async def create(self, actor: Actor, new: NewReport) -> Report:
        check_names(new.name, new.description)
        check(self.world.collections[new.collection], definition_of_report(new))
        number = self.world.next_id()
        self.world.reports[number] = Report(
            **msgspec.structs.asdict(definition_of_report(new)),
            id=number,
            name=new.name,
            description=new.description,
            collection=new.collection,
            owner=actor.email,
            shared=new.shared,
            problem="",
            created_at=NOW,
            updated_at=NOW,
        )
        return self.world.reports[number]

    async def update(self, actor: Actor, report_id: int, changes: ReportChanges) -> Report:
        given = {name: one for name, one in msgspec.structs.asdict(changes).items() if one is not msgspec.UNSET}
        self.world.reports[report_id] = msgspec.structs.replace(await self.get(actor, report_id), **given)
        return self.world.reports[report_id]

    async def delete(self, actor: Actor, report_id: int) -> None:
        del self.world.reports[report_id]

    async def some(self, actor: Actor, report_ids: Iterable[int]) -> dict[int, Report]:
        return {one: self.world.reports[one] for one in report_ids if one in self.world.reports}

    async def data(self, actor: Actor, report_id: int) -> tuple[Report, ReportData]:
        report = await self.get(actor, report_id)
        if report.problem:
            raise ReportBrokenError(report.problem)
        return report, await self.preview(actor, report.collection, report.definition)

    async def preview(self, actor: Actor, collection: str, definition: Definition) -> ReportData:
        found = self.world.collections[collection]
        check(found, definition)
        wanted = msgspec.structs.replace(definition, limit=11)
        statement = compile_report(found, wanted, [])
        return assemble(wanted, statement, list(_made_up(statement, wanted)), NOW)


def _made_up(statement: Statement, definition: Definition) -> Iterator[tuple[Any, ...]]:
    parts = len(statement.folds)
    for ranks in product(*(range(1, limit + 2) for limit in statement.limits)):
        keys = [
            item
            for rank, column, grouping in zip(ranks, statement.columns, definition.group_by, strict=True)
            for item in (_key(rank, column.field, dated=grouping.by is not None), rank)
        ]
        yield (*keys, *(Decimal(sum(ranks) * 1234 + part) for part in range(parts)))


def _key(rank: int, field: Field, *, dated: bool) -> object:
    if dated:
        return date(2026 - rank, 1, 1)
    if field.kind.two_valued:
        return rank % 2 == 0
    return rank if field.kind.summable else f"{field.name} {rank}"


class FakeDashboards(DashboardService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[Dashboard]:
        return Page(list(reversed(self.world.dashboards.values())))

    async def get(self, actor: Actor, dashboard_id: int) -> Dashboard:
        if dashboard_id not in self.world.dashboards:
            raise DashboardNotFoundError
        return self.world.dashboards[dashboard_id]

    async def home(self, actor: Actor) -> Dashboard | None:
        return next((one for one in self.world.dashboards.values() if one.home), None)

    async def create(self, actor: Actor, new: NewDashboard) -> Dashboard:
        check_names(new.name, "")
        number = self.world.next_id()
        made = Dashboard(number, new.name, new.tiles, new.shared, new.home, actor.email, NOW, NOW)
        self.world.dashboards[number] = made
        return made

    async def update(self, actor: Actor, dashboard_id: int, changes: DashboardChanges) -> Dashboard:
        given = {name: one for name, one in msgspec.structs.asdict(changes).items() if one is not msgspec.UNSET}
        check_names(given.get("name", "x"), "")
        self.world.dashboards[dashboard_id] = msgspec.structs.replace(await self.get(actor, dashboard_id), **given)
        return self.world.dashboards[dashboard_id]

    async def delete(self, actor: Actor, dashboard_id: int) -> None:
        del self.world.dashboards[dashboard_id]


class FakeSamples(SampleService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor) -> builtins.list[Sample]:
        return self.world.samples

    async def start(self, actor: Actor, name: str) -> Sample:
        for one in template(name).collections:
            if one.name in self.world.collections:
                raise SampleTakenError(one.name)
            await FakeCollections(self.world).create(actor, NewCollection(one.name, one.fields, one.description))
        self.world.samples = [Sample(self.world.next_id(), name), *self.world.samples]
        return self.world.samples[0]

    async def remove(self, actor: Actor, sample_id: int) -> None:
        self.world.samples = [one for one in self.world.samples if one.id != sample_id]


class FakeUsers(UserService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[User]:
        return Page(list(self.world.users.values()))

    async def get(self, actor: Actor, user_id: int) -> User:
        if user_id not in self.world.users:
            raise NotFoundError("There is no such user.")
        return self.world.users[user_id]

    async def create(self, actor: Actor, new: NewUser) -> User:
        new = check_new(new)
        if any(user.email == new.email for user in self.world.users.values()):
            raise EmailTakenError
        number = self.world.next_id() + 1
        role, own = _given(self.world, new.role, new.own_role)
        made = User(number, new.email, new.name, role, active=True, created_at=NOW, own_role=own)
        self.world.users[number] = made
        return made

    async def change(self, actor: Actor, user_id: int, changes: UserChanges) -> User:
        user = await self.get(actor, user_id)
        if user_id == 1 and (changes.active is False or changes.role not in {None, Role.OWNER}):
            raise LastOwnerError
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        if changes.role or changes.own_role:
            given["role"], given["own_role"] = _given(self.world, changes.role or Role.VIEWER, changes.own_role)
        self.world.users[user_id] = msgspec.structs.replace(user, **given)
        return self.world.users[user_id]

    async def change_password(self, actor: Actor, change: PasswordChange, address: str) -> None:
        if change.current_password != PASSWORD:
            raise InvalidInputError.of("current_password", "is not your current password")


class FakeRoles(RoleService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, actor: Actor, limit: int = 50, cursor: str | None = None) -> Page[WorkspaceRole]:
        return Page([_shown_role(self.world, one) for one in self.world.roles.values()])

    async def names(self, actor: Actor) -> dict[int, str]:
        return {number: role.name for number, role in self.world.roles.items()}

    async def get(self, actor: Actor, role_id: int) -> WorkspaceRole:
        if role_id not in self.world.roles:
            raise RoleNotFoundError
        return _shown_role(self.world, self.world.roles[role_id])

    async def create(self, actor: Actor, new: NewRole) -> WorkspaceRole:
        number = self.world.next_id() + 1
        self.world.roles[number] = stored_form(self.world.collections.values(), new, number)
        return await self.get(actor, number)

    async def change(self, actor: Actor, role_id: int, changes: RoleChanges) -> WorkspaceRole:
        before = await self.get(actor, role_id)
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
        parts = {"name": before.name, "files": before.files, "collections": before.collections, **given}
        self.world.roles[role_id] = stored_form(self.world.collections.values(), NewRole(**parts), role_id)
        return await self.get(actor, role_id)

    async def delete(self, actor: Actor, role_id: int) -> None:
        emails = [one.email for one in self.world.users.values() if one.own_role and one.own_role.id == role_id]
        if emails:
            raise RoleInUseError(emails, len(emails))
        del self.world.roles[role_id]


def _shown_role(world: World, role: OwnRole) -> WorkspaceRole:
    people = sum(one.own_role is not None and one.own_role.id == role.id for one in world.users.values())
    rules, broken = named_form({one.id: one for one in world.collections.values()}, role)
    return WorkspaceRole(role.id, role.name, role.files, rules, broken, people, NOW, NOW)


def _given(world: World, role: Role, own_role: int | None) -> tuple[Role, GivenRole | None]:
    if own_role is None:
        return role, None
    return Role.OWN, GivenRole(own_role, world.roles[own_role].name)


class FakeLinks(LinkService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def available(self) -> bool:
        return self.world.mail


class FakeRecovery(RecoveryService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def forgotten(self, email: str, address: str) -> None:
        if not self.world.mail:
            raise NoMailError
        if normal_email(email) is None:
            raise InvalidInputError.of("email", "Enter an e-mail address such as name@example.com.")
        if self.world.asked.count(email) >= 3:
            raise TooManyRequestsError("Too many mails were asked for.", 3600)
        self.world.asked.append(email)

    async def choose(self, chosen: ChosenPassword, address: str) -> None:
        if self.world.refusal:
            raise self.world.refusal
        if secret_in(chosen.code) not in self.world.links:
            raise LinkSpentError
        if len(chosen.password) < 10:
            raise InvalidInputError.of("password", "Use at least 10 characters.")
        self.world.links.remove(secret_in(chosen.code))


class FakeInvitations(InvitationService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def invite(self, actor: Actor, new: NewInvitation) -> User:
        made = await FakeUsers(self.world).create(actor, NewUser(new.email, PASSWORD, new.name, new.role, new.own_role))
        made.invitation = Invitation(NOW + INVITATION_VALID_FOR)
        return made

    async def repeat(self, actor: Actor, user_id: int) -> User:
        user = self.world.users[user_id]
        user.invitation = Invitation(NOW + INVITATION_VALID_FOR, NOW)
        return user

    async def withdraw(self, actor: Actor, user_id: int) -> None:
        del self.world.users[user_id]


class FakeAudit(AuditService):
    def __init__(self, world: World) -> None:
        self.world = world
        self.queries: list[AuditQuery] = []

    async def list(self, actor: Actor, query: AuditQuery) -> Page[AuditEntry]:
        self.queries.append(query)
        found = [entry for entry in self.world.entries if entry.action.startswith(query.action)]
        return Page(found[: query.limit])

    async def last_verification(self, actor: Actor) -> LastVerification | None:
        return self.world.verification


class FakeIdentity(IdentityService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def current(self) -> Identity:
        return self.world.identity


class FakeNotation(NotationService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def current(self) -> Notation:
        return self.world.settings.notation

    async def get(self, actor: Actor) -> WorkspaceSettings:
        return self.world.settings

    async def change(self, actor: Actor, changes: SettingsChanges) -> WorkspaceSettings:
        said = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
        self.world.settings = msgspec.structs.replace(self.world.settings, **said)
        return self.world.settings


class FakePersonNotation(PersonNotationService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def effective(self, actor: Actor) -> Notation:
        own, shared = self.world.own_notation, self.world.settings
        return Notation(
            own.number_notation or shared.number_notation,
            own.date_notation or shared.date_notation,
            own.time_zone or shared.time_zone,
        )

    async def get(self, actor: Actor) -> PersonNotation:
        return self.world.own_notation

    async def change(self, actor: Actor, changes: PersonNotationChanges) -> PersonNotation:
        said = said_in(changes)
        if said.get("time_zone") is not None:
            require_zone(said["time_zone"])
        self.world.own_notation = msgspec.structs.replace(self.world.own_notation, **said)
        return self.world.own_notation


class FakeReferences(ReferenceService):
    """Nothing leads anywhere."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def related(self, actor: Actor, collection: str, record_id: int) -> list[Related]:
        return []

    async def people(self, actor: Actor, words: str, limit: int = MAX_FOUND) -> Page[Linked]:
        return Page([Linked(one.id, one.name) for one in self.world.users.values() if words in one.name][:limit])


class FakeLimits(LimitService):
    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def current(self) -> Limits:
        return Limits(
            "trial",
            trial_ends_at=self.world.trial_ends_at,
            features=self.world.features,
            plan_url=self.world.plan_url,
            confirm_url=self.world.confirm_url,
        )


class FakeUsage(UsageService):
    def __init__(self, world: World) -> None:
        self.world = world

    async def get(self, actor: Actor) -> Usage:
        if self.world.failure:
            raise self.world.failure
        stored = sum(found.size for found, _ in self.world.files.values())
        seats = Meter(len(self.world.users), self.world.seats)
        return Usage("trial", self.world.limit, seats, Meter(stored, 5_000_000_000))

    async def published(self, actor: Actor) -> list[LimitGroup]:
        plan = Limits("trial", self.world.limit.limit, self.world.seats, 5_000_000_000)
        there = Counted(self.world.limit.used, len(self.world.users), collections=len(self.world.collections))
        return published(plan, 10**8, there)


def settings() -> Settings:
    word, key = "x", "0" * 64
    return Settings(
        env=Environment("k3v9q2mzt1"),
        database=DatabaseSecret(word, word, word, 3306, word),
        cache=CacheSecret(word, word, word, 6379, word),
        storage=StorageSecret(word, word, "https://s3.example", "bucket", word),
        app=AppSecret(key, key, key),
        ca_file=Path(),
        ticket_key_file=Path(),
        limits_file=Path(),
    )


def page_dependencies(world: World) -> dict[str, Provide]:
    """The dependencies that `vivero_data.domain` names, over one world."""

    def actor(request: Request[Any, Any, Any]) -> Actor:
        if world.refusal:
            raise world.refusal
        if not world.signed_in:
            raise NotSignedInError("Log in first.")
        return world.actor

    made = {
        "auth": FakeAuth(world),
        "tickets": FakeTickets(world),
        "support": FakeSupport(world),
        "api_keys": FakeApiKeys(world),
        "own_sessions": FakeSessions(world),
        "second_factors": FakeSecondFactors(world),
        "webhooks": FakeWebhooks(world),
        "email_changes": FakeEmailChanges(world),
        "users": FakeUsers(world),
        "links": FakeLinks(world),
        "recovery": FakeRecovery(world),
        "invitations": FakeInvitations(world),
        "collections": FakeCollections(world),
        "fields": FakeFields(world),
        "trash": FakeTrash(world),
        "records": FakeRecords(world),
        "record_finder": FakeFinder(world),
        "favourites": FakeFavourites(world),
        "roles": FakeRoles(world),
        "record_batches": FakeBatches(world),
        "bulk": FakeBulk(world),
        "comments": FakeComments(world),
        "views": FakeViews(world),
        "files": FakeFiles(world),
        "record_files": FakeRecordFiles(world),
        "jobs": FakeJobs(world),
        "report_mails": FakeReportMails(world),
        "workspace_exports": FakeWorkspaceExports(world),
        "reports": FakeReports(world),
        "imports": FakeImports(world),
        "exports": FakeExports(world),
        "dashboards": FakeDashboards(world),
        "samples": FakeSamples(world),
        "audit": FakeAudit(world),
        "usage": FakeUsage(world),
        "settings": settings(),
        "identity": FakeIdentity(world),
        "limits": FakeLimits(world),
        "plan_page": PlanPage(FakeLimits(world), "0" * 64, "k3v9q2mzt1"),
        "notation": FakeNotation(world),
        "person_notation": FakePersonNotation(world),
        "references": FakeReferences(world),
    }
    provided = {name: _constant(value) for name, value in made.items()}
    return {**provided, "actor": Provide(actor, sync_to_thread=False)}


def _constant(value: object) -> Provide:
    def give() -> Any:
        return value

    return Provide(give, sync_to_thread=False)


def make_app(world: World) -> Litestar:
    """The pages over one world, and the routes of the API that they call."""

    async def sign_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        connection.scope["state"]["vivero_actor"] = world.actor

    controllers = [
        RecordController,
        FileController,
        RecordFileController,
        ViewController,
        CollectionController,
        ImportUploadController,
        WebhookController,
    ]
    api = Router(
        "/api/v1", route_handlers=controllers, security=BEARER_OR_COOKIE, guards=[sign_in], response_class=JsonResponse
    )
    app = Litestar(
        [*route_handlers(2_000_000), api],
        request_class=JsonRequest,
        request_max_body_size=FORM_BYTES,
        dependencies=page_dependencies(world),
        exception_handlers={Exception: Answers(render_error).to},
        openapi_config=described(),
        logging_config=None,
    )
    app.asgi_handler = RequestContext(unlimited().around(app.asgi_handler), Proxies(0), hsts="")
    return app
