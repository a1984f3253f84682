"""The staff's page of the audit log: of all tenants, accounts and staff, with filters, and as a file for admins."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from litestar import Controller, Request, get
from litestar.di import NamedDependency, Provide
from litestar.response import Stream, Template
from msgspec import Struct
from vivero_ui.filters import with_query
from vivero_web.errors import InvalidInputError
from vivero_web.spreadsheets import CSV_TYPE

from vivero_control.domain.audit.search import AuditQuery, AuditSearch
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import presentation
from vivero_control.web.staff_shell import AUDIT, shell

PAGE: Final = 50
_TENANT: Final = "tenant/"


class AuditFilter(Struct, frozen=True, kw_only=True):
    """The page's fields, as the address has them. A day that is none is ignored, as addresses are shared."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "AuditFilter":
        return cls(**{name: params.get(name, "").strip()[:200] for name in cls.__struct_fields__})

    def query(self) -> AuditQuery:
        """Days are those of UTC; the last one is part of it."""
        last = _midnight(self.until, 1)
        return AuditQuery(
            actor=self.actor, action=self.action, subject=self.subject, since=_midnight(self.since), until=last
        )

    @property
    def is_set(self) -> bool:
        return self != AuditFilter()


def _midnight(text: str, later: int = 0) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later)
    except (ValueError, OverflowError):
        return None


class AuditController(Controller):
    """Behind the staff login."""

    path = AUDIT
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="audit")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        audit_search: NamedDependency[AuditSearch],
    ) -> Template:
        wanted, cursor = AuditFilter.read(request.query_params), request.query_params.get("cursor", "")
        try:
            found = await audit_search.page(wanted.query(), cursor, PAGE)
        except InvalidInputError:  # an address that somebody shortened
            cursor, found = "", await audit_search.page(wanted.query(), "", PAGE)
        address = str(request.url.with_replacements(scheme="", netloc=""))
        context: dict[str, Any] = {
            "shell": shell(member, AUDIT),
            "lines": presentation.audit_lines(found.items),
            "wanted": wanted,
            "actions": await audit_search.actions(),
            "newest_href": with_query(address, {"cursor": None}) if cursor else "",
            "next_href": with_query(address, {"cursor": found.next_cursor}) if found.next_cursor else "",
            "file_href": f"{AUDIT}/file?{request.url.query}" if member.role == "admin" else "",
        }
        return Template("pages/audit.html.j2", context=context)

    @get("/file")
    async def file(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        audit_search: NamedDependency[AuditSearch],
    ) -> Stream:
        lines = await audit_search.file(AuditFilter.read(request.query_params).query(), member)
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return Stream(lines, media_type=CSV_TYPE, headers=headers)
