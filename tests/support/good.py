"""What a well-meaning client sends to each route of both programs; `hostile` makes one thing in it odd."""

from collections.abc import Mapping
from typing import Any, Final

from vivero_data.domain.field_types.registry import FieldType

GOOD_VALUES: Final[dict[str, Any]] = {
    FieldType.TEXT: "Ada",
    FieldType.LONG_TEXT: "one\ntwo",
    FieldType.NUMBER: 1.5,
    FieldType.INTEGER: 2,
    FieldType.BOOLEAN: True,
    FieldType.DATE: "2026-11-28",
    FieldType.DATETIME: "2026-11-28T12:00:00Z",
    FieldType.CHOICE: "a",
    FieldType.EMAIL: "ada@example.com",
    FieldType.URL: "https://example.com/",
    FieldType.MONEY: 1234.5,
    FieldType.CHOICES: ["a"],
    FieldType.LINK: 1,
    FieldType.PERSON: 1,
}
"""By field type, which is the name of the field too."""
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    FieldType.CHOICE: {"colours": {"a": "green"}},
    FieldType.MONEY: {"currency": "EUR"},
    FieldType.LINK: {"collection": 1},
    FieldType.AUTONUMBER: {"prefix": "INV-", "digits": 5},
    FieldType.FORMULA: {"formula": "1 + 1"},
}
"""By field type, of those that need or take some."""
COMPUTED: Final = tuple(kind for kind in FieldType if kind.kind.computed and not kind.kind.virtual)
"""Types that nobody writes; a field of each has its type's name too."""
UPLOADED: Final = tuple(kind for kind in FieldType if kind.kind.uploaded)
"""Types whose values are uploaded; a field of each has its type's name too."""
_PASSWORD: Final = "plum orchard at dawn"
_RECORD: Final = {str(kind): value for kind, value in GOOD_VALUES.items()}
_CHOICE: Final = {
    "name": "Choice",
    "type": "choice",
    "required": False,
    "unique": True,
    "exact": True,
    "indexed": True,
    "default": "b",
    "choices": ["a", "b"],
    "options": {"colours": {"a": "green"}},
}
_TILES: Final = [
    {"type": "report", "report": 1, "width": "full"},
    {"type": "list", "collection": "Contacts", "view": None, "width": "half"},
    {"type": "text", "text": "x", "width": "half"},
]
_REPORT_FORM: Final = {
    "name": "Spent",
    "description": "x",
    "group-0": "month:date",
    "group-1": ":choice",
    "measure-0": "sum:number",
    "kind": "stacked_bar",
    "order": "group",
    "limit": "12",
    "field-0": "text",
    "operator-0": "contains",
    "value-0": "A",
    "shared": "true",
}
_SCHEDULE_FORM: Final = {"recipients": "owner@example.com", "every": "week", "hour": "7", "weekday": "0", "day": "1"}
_REPORT: Final = {
    "where": {"field": "text", "operator": "filled"},
    "group_by": [{"field": "date", "by": "month"}, {"field": "choice"}],
    "measures": [{"function": "sum", "field": "number"}],
    "kind": "stacked_bar",
    "order": "-value",
    "limit": 12,
}
_ROLE: Final = {
    "name": "Sales",
    "files": True,
    "collections": [{"collection": "Contacts", "create": True, "change": True, "delete": False, "export": True}],
}
_FORGOTTEN: Final = {"email": "grace@example.com"}
_CHOSEN: Final = {"code": "x" * 43, "password": _PASSWORD}
_RECORDS: Final = "/collections/{name}/records"
_VIEWS: Final = "/collections/{name}/views"
_SPEC: Final = {
    "columns": [{"field": "text", "width": 200}],
    "where": {"all": [{"field": "text", "operator": "eq", "value": "Ada"}]},
    "search": "Ada",
    "sort": ["-text", "integer"],
    "group_by": "choice",
    "sums": {"number": "sum"},
    "start": "date",
    "height": "tall",
}


def _typed(value: object) -> str:
    """A value as a form has it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def workspace_bodies(fields: Mapping[str, int]) -> dict[str, Any]:
    """Of a data plane with a collection of one field a type; `fields` are their ids by name."""
    inputs = {f"f{number}": _typed(_RECORD[name]) for name, number in fields.items() if name in _RECORD}
    credentials = {"email": "ada@example.com", "password": "not the password"}
    passwords = {"current_password": "not the password", "new_password": "another orchard at dawn"}
    person = {"email": "grace@example.com", "password": _PASSWORD, "name": "Grace", "role": "member"}
    invited = {"email": "grace@example.com", "name": "Grace", "role": "member"}
    token = {"refresh_token": "x" * 43}
    rows = {"field-0-name": "Title", "field-0-type": "choice", "field-0-required": "on", "field-0-choices": "a, b"}
    return {
        "POST /api/v1/auth/login": credentials,
        "POST /api/v1/auth/refresh": token,
        "POST /api/v1/auth/logout": token,
        "POST /api/v1/auth/password-reset": _FORGOTTEN,
        "POST /api/v1/auth/password": {"token": "x" * 43, "password": _PASSWORD},
        "PUT /api/v1/me/password": passwords,
        "POST /api/v1/users": person,
        "POST /api/v1/invitations": invited,
        "POST /api/v1/roles": _ROLE,
        "PATCH /api/v1/roles/{role_id}": _ROLE,
        "PATCH /api/v1/users/{user_id}": {"name": "Olive", "role": "owner", "active": True},
        "POST /api/v1/api-keys": {"name": "Nightly import", "scopes": ["read", "write_records"], "valid_days": 30},
        "PATCH /api/v1/api-keys/{key_id}": {"name": "Nightly import"},
        "POST /api/v1/api-keys/{key_id}/rotate": {"overlap_hours": 24},
        "POST /api/v1/collections": {"name": "Odd", "description": "x", "fields": [_CHOICE]},
        "PATCH /api/v1/collections/{name}": {"name": "Contacts", "description": "x", "fields": list(fields)},
        "POST /api/v1/collections/{name}/fields": {**_CHOICE, "unique": False, "exact": None},
        "PATCH /api/v1/collections/{name}/fields/{field}": {**_CHOICE, "name": "choice", "unique": False},
        f"POST /api/v1{_RECORDS}": {"values": _RECORD},
        f"POST /api/v1{_RECORDS}/batch": {
            "create": [{"values": _RECORD}],
            "update": [{"id": 2, "values": _RECORD, "version": 1}],
            "delete": [{"id": 3, "version": 1}],
        },
        f"POST /api/v1{_RECORDS}/export": {"filters": ["text:filled"], "where": '{"field":"text","operator":"filled"}'},
        "PATCH /api/v1/me/notation": {"time_zone": None, "number_notation": "1.234,50", "date_notation": None},
        "PATCH /api/v1/workspace/settings": {
            "time_zone": "Europe/Berlin",
            "number_notation": "1.234,50",
            "date_notation": "29.11.2026",
        },
        f"PATCH /api/v1{_RECORDS}/{{record_id}}": {"values": _RECORD, "version": 1},
        "POST /api/v1/dashboards": {"name": "Board", "tiles": _TILES, "shared": True, "home": False},
        "PATCH /api/v1/dashboards/{dashboard_id}": {
            "name": "Board 2",
            "tiles": _TILES[::-1],
            "shared": True,
            "home": True,
        },
        "POST /dashboards": {"name": "Board", "shared": "true"},
        "POST /dashboards/{dashboard_id}": {"name": "Board", "shared": "true", "step": "add-text", "text": "x"},
        "POST /reports/new": {**_REPORT_FORM, "collection": "Contacts"},
        "POST /reports/{report_id}": _REPORT_FORM,
        "POST /api/v1/reports": {
            **_REPORT,
            "name": "Spent",
            "collection": "Contacts",
            "description": "x",
            "shared": True,
        },
        "PATCH /api/v1/reports/{report_id}": {**_REPORT, "name": "Costs", "description": "y", "shared": False},
        f"POST /api/v1{_VIEWS}": {
            "name": "Odd",
            "kind": "grid",
            **_SPEC,
            "shared": True,
            "default": False,
            "position": 1,
        },
        "POST /api/v1/collections/{name}/indexes": {"columns": ["text", "-integer"]},
        "POST /collections/{name}/indexes": {"column-0": "text", "column-1": "-integer", "shown": "sort=text"},
        f"PATCH /api/v1{_VIEWS}/{{view_id}}": {
            "name": "Odd",
            **_SPEC,
            "shared": False,
            "default": False,
            "position": 1,
        },
        f"POST /api/v1{_RECORDS}/{{record_id}}/comments": {"text": "x"},
        f"PATCH /api/v1{_RECORDS}/{{record_id}}/comments/{{comment_id}}": {"text": "y"},
        "PUT /internal/v1/workspace": {
            "name": "Acme GmbH",
            "public_url": "https://acme.example.com:8443",
            "owner": {"email": "owner@example.com", "name": "Olive", "password_hash": None, "replaces": None},
        },
        "POST /api/v1/imports/{import_id}/start": {
            "mode": "upsert",
            "key": "Name",
            "dry_run": True,
            "name": "Odd import",
            "mapping": {"Name": {"field": "Name", "type": "text", "numbers": None, "dates": None}, "Other": None},
        },
        "POST /imports/{import_id}": {"name": "Odd import", "use-0": "on", "field-0": "Name", "type-0": "text"},
        "POST /trash/{entry_id}/restore": {"back": "/collections"},
        "POST /login": {**credentials, "next": "/files"},
        "POST /login/ticket": {"ticket": "x" * 43},
        "POST /forgotten-password": _FORGOTTEN,
        "POST /set-password": _CHOSEN,
        "POST /account/password": passwords,
        "POST /api/v1/me/second-factor": {"current_password": "not the password"},
        "POST /api/v1/me/second-factor/confirm": {"code": "123456"},
        "POST /api/v1/me/second-factor/recovery-codes": {"current_password": "not the password"},
        "POST /api/v1/me/second-factor/end": {"current_password": "not the password"},
        "POST /login/code": {"challenge": "x" * 43, "code": "123456", "next": "/files"},
        "POST /account/second-factor": {"current_password": "not the password"},
        "POST /account/second-factor/confirm": {"code": "123456"},
        "POST /account/second-factor/recovery-codes": {"current_password": "not the password"},
        "POST /account/second-factor/off": {"current_password": "not the password"},
        "POST /api/v1/webhooks": {"url": "https://example.com/hook", "events": ["record.created"], "collection": None},
        "PATCH /api/v1/webhooks/{webhook_id}": {"events": ["record.deleted"], "active": True},
        "POST /api/v1/report-schedules": {
            "subject": "report",
            "subject_id": 1,
            "recipients": ["owner@example.com"],
            "every": "month",
            "hour": 7,
            "weekday": 0,
            "day": 31,
            "active": True,
        },
        "PATCH /api/v1/report-schedules/{schedule_id}": {
            "recipients": ["owner@example.com"],
            "every": "week",
            "hour": 8,
            "weekday": 6,
            "day": 1,
            "active": False,
        },
        "POST /report-schedules/new": {"subject": "report-1", **_SCHEDULE_FORM},
        "POST /report-schedules/{schedule_id}": _SCHEDULE_FORM,
        "POST /webhooks/new": {"url": "https://example.com/hook", "event-record.created": "true", "collection": ""},
        "POST /webhooks/{webhook_id}": {"url": "https://example.com/hook", "event-record.deleted": "true"},
        "POST /api/v1/me/email": {"email": "new@example.com", "current_password": "not the password"},
        "POST /api/v1/auth/email": {"token": "x" * 43},
        "POST /account/email": {"email": "new@example.com", "current_password": "not the password"},
        "POST /confirm-email": {"code": "x" * 43},
        "POST /account/keys/new": {"name": "Nightly import", "scope-write_records": "true", "valid_days": "30"},
        "POST /account/keys/{key_id}": {"name": "Nightly import"},
        "POST /account/keys/{key_id}/rotate": {"overlap_hours": "24"},
        "POST /users/new": {**person, "by": "password"},
        "POST /roles/new": {"name": "Sales", "files": "true", "read-1": "true"},
        "POST /roles/{role_id}": {"name": "Sales", "files": "true", "read-1": "true"},
        "POST /roles/{role_id}/collections/{collection_id}": {"field-1": "hidden", "rows": "all"},
        "POST /users/{user_id}/invitation": {"action": "repeat"},
        "POST /users/{user_id}": {"name": "Olive", "role": "owner", "active": "true"},
        "POST /account/notation": {"time_zone": "", "number_notation": "", "date_notation": "29.11.2026"},
        "PUT /api/v1/workspace/login-rules": {"second_factor_required": False},
        "POST /settings/logins": {"second_factor_required": "true"},
        "POST /settings": {"time_zone": "UTC", "number_notation": "", "date_notation": "29.11.2026"},
        "POST /new-collection": {"name": "Odd page", "description": "x", **rows, "action": "create"},
        "POST /collections/{name}/delete": {"confirm": "no"},
        "POST /collections/{name}/settings": {"name": "Contacts", "description": "x"},
        "POST /collections/{name}/order": {"up": "text", "down": "number"},
        "POST /collections/{name}/new-field": {"name": "Odd", "type": "choice", "choices": "a, b", "required": "true"},
        "POST /collections/{name}/formula": {"formula": "{number} * 2"},
        "POST /collections/{name}/fields/{field_id}": {
            "name": "long_text",
            "type": "text",
            "unique": "alike",
            "choices": "a",
            "confirmed": "x",
        },
        "POST /collections/{name}/favourite": {"on": "1"},
        "POST /collections/{name}/views/{view_id}/favourite": {"on": "1"},
        "POST /collections/{name}/day": {"record": "1", "version": "1", "day": "2026-11-30", "shown": "start=date"},
        "POST /collections/{name}/columns": {f"column-{number}": "on" for number in fields.values()},
        "POST /collections/{name}/export": {"shown": "filter=text:filled"},
        "POST /collections/{name}/views": {"name": "Odd page", "shared": "true", "shown": "sort=-text&columns=text"},
        "POST /collections/{name}/views/{view_id}": {"name": "Odd page", "shared": "true", "default": "true"},
        "POST /collections/{name}/selection": {"action": "duplicate", "row-1": "on", "shown": "", "step": "do"},
        f"POST {_RECORDS}/{{record_id}}/comments": {"text": "x", "shown": ""},
        f"POST {_RECORDS}/{{record_id}}/comments/{{comment_id}}": {"text": "y", "shown": ""},
        f"POST {_RECORDS}/{{record_id}}/delete": {"shown": ""},
        f"POST {_RECORDS}/{{record_id}}/files/{{file_id}}/remove": {"field": "", "shown": ""},
        "POST /collections/{name}/new": {**inputs, "action": "another"},
        f"POST {_RECORDS}/{{record_id}}": {**inputs, "version": "1"},
    }


WORKSPACE_QUERIES: Final = (
    *("into", "format"),
    *("sort", "filter", "where", "cursor", "back", "view", "q", "next", "by"),
    *(
        "edited",
        "search",
        "columns",
        "group",
        "folded",
        "sums",
        "slow",
        "column",
        "start",
        "end",
        "height",
        "day",
        "span",
        "shown",
        "match",
        "match-1",
        "ids",
        "fields",
        "exact",
        "sort-0",
        "down-0",
    ),
    *("c0-field", "c0-operator", "c0-value", "c0-group", "c1-field", "limit"),
    *("do", "collection", "group-0", "measure-0", "kind", "format"),
    *("actor", "action", "subject", "since", "until", "neighbour"),
)

_REASON: Final = {"reason": "They asked for it.", "generation": 1}
_LOGIN: Final = {"email": "ada@vivero.example", "password": "not the password"}
_SIGNUP: Final = {"company": "Company", "email": "owner@example.com", "password": _PASSWORD, "slug": "no-such-slug"}
_CONFIRMED: Final = {"reason": "They asked for it.", "confirmed": "true"}
_BULK: Final = {"action": "resume", "tenants": [{"name": "no-such-tenant", "generation": 1}]}
_INCIDENT: Final = {"title": "Slow", "text": "We look.", "state": "investigating", "components": ["api"]}
CONTROL_BODIES: Final[dict[str, Any]] = {
    "POST /api/v1/auth/login": _LOGIN,
    "POST /api/v1/auth/refresh": {"refresh_token": "x" * 43},
    "POST /api/v1/auth/logout": {"refresh_token": "x" * 43},
    "POST /api/v1/auth/forgotten-password": _FORGOTTEN,
    "PUT /api/v1/auth/password": _CHOSEN,
    "POST /api/v1/signups": {**_SIGNUP, "plan": "trial"},
    "POST /api/v1/signups/confirmations": {"code": _CHOSEN["code"]},
    "POST /api/v1/signups/join-requests": {"code": _CHOSEN["code"]},
    "POST /api/v1/signups/confirmation-links": {"slug": "no-such-slug"},
    "POST /api/v1/tenants/{name}/suspend": {**_REASON, "kind": "Manual", "message": "x"},
    "POST /api/v1/tenants/{name}/resume": _REASON,
    "POST /api/v1/tenants/{name}/extend-trial": {**_REASON, "trial_ends_at": "2026-12-24T00:00:00Z"},
    "POST /api/v1/tenant-orders": {**_BULK, "reason": _REASON["reason"]},
    "POST /api/v1/tenants/{name}/confirm-owner": _REASON,
    "POST /api/v1/tenants/{name}/change-plan": {**_REASON, "plan": "starter"},
    "POST /api/v1/tenants/{name}/backups": {"reason": "Before the migration."},
    "POST /api/v1/tenants/{name}/restores": {
        "reason": "They asked for it.",
        "target": {"tenant": "no-such-tenant-then", "slug": "no-such-tenant-then"},
        "time": "2026-11-28T12:00:00Z",
    },
    "POST /api/v1/deleted-tenants/{ident}/undelete": {"reason": _REASON["reason"]},
    "POST /api/v1/status/incidents": _INCIDENT,
    "POST /api/v1/status/incidents/{number}/updates": {"state": "resolved", "text": "It works again."},
    "POST /api/v1/platform-backup/dumps": {"reason": "Before the upgrade."},
    "POST /api/v1/staff": {"email": "grace@example.com", "role": "support"},
    "PATCH /api/v1/staff/{staff_id}": {"role": "admin", "active": True},
    "POST /signup": {**_SIGNUP, "key": "k" * 32},
    "POST /staff/login": {**_LOGIN, "next": "/staff/tenants"},
    "POST /staff/forgotten-password": _FORGOTTEN,
    "POST /login/workspaces": _FORGOTTEN,
    "POST /confirm": {"code": _CHOSEN["code"]},
    "POST /confirm/join": {"code": _CHOSEN["code"]},
    "POST /confirm/again": {"slug": "no-such-slug"},
    "POST /account/link": {"address": "acme"},
    "POST /account/open": {"code": _CHOSEN["code"]},
    "POST /account/enter": {"code": _CHOSEN["code"]},
    "POST /account/backups/make": {"key": "k" * 32},
    "POST /account/backups/back": {
        "moment": "2026-11-28T12:00:00",
        "backup": "",
        "into": "place",
        "confirm": "acme",
        "key": "k" * 32,
    },
    "POST /account/people/name": {"email": "grace@example.com"},
    "POST /account/people/remove": {"email": "grace@example.com"},
    "POST /account/workspaces/choose": {"tenant": "acme"},
    "POST /account/workspaces/bring-back": {"id": "abcdefghij"},
    "POST /account/settings/delete": {"confirm": "acme"},
    "POST /account/settings/name": {"display_name": "Acme"},
    "POST /account/checkout": {"plan": "starter", "interval": "month"},
    "POST /account/change": {"plan": "starter", "interval": "month", "at": "1798718898", "cents": "0"},
    "POST /account/cancel": {"reason": "unused", "comment": "We had no time."},
    "POST /api/v1/billing/events": {"id": "evt_1", "data": {"object": {"object": "invoice", "customer": "cus_1"}}},
    "POST /set-password": _CHOSEN,
    "POST /staff/people/new": {"email": "grace@example.com", "role": "support"},
    "POST /staff/people/{staff_id}/role": {"role": "admin"},
    "POST /staff/tenants/{name}/backups": {"key": "k" * 32},
    "POST /staff/tenants/{name}/bring-back": {
        "source": "moment",
        "moment": "2026-11-28T12:00:00",
        "backup": "no-such-backup",
        "into": "new",
        "slug": "no-such-tenant-then",
        "tenant": "no-such-tenant-then",
        "confirm": "no-such-tenant",
        "reason": "They asked for it.",
        "key": "k" * 32,
    },
    "POST /staff/deleted/{ident}/undelete": {"reason": _REASON["reason"]},
    "POST /staff/platform/dumps": {},
    "POST /staff/bulk": {"action": "suspend", "tenant.no-such-tenant": "1", "kind": "Manual", **_CONFIRMED},
    "POST /staff/status/new": {
        "title": "Slow",
        "text": "We look.",
        "state": "planned",
        "on_api": "true",
        "begins_at": "2026-12-24T06:00",
        "ends_at": "2026-12-24T08:00",
    },
    "POST /staff/status/{number}/updates": {"state": "resolved", "text": "It works again."},
    "POST /staff/tenants/{name}/{which}": {
        "reason": "They asked for it.",
        "kind": "Manual",
        "message": "x",
        "trial_ends_on": "2026-12-24",
        "plan": "starter",
        "generation": "1",
    },
}
CONTROL_QUERIES: Final = (
    "paid",
    "workspace",
    "q",
    "state",
    "plan",
    "sort",
    "page",
    "do",
    "done",
    "replayed",
    "next",
    "seen",
    "backup",
    "undo",
    "moment",
    "into",
    "week",
    "only",
)
