"""Labels of audit entries for people; pure."""

from typing import Any, Final

import msgspec

from vivero_data.domain.audit.schemas import AuditEntry
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.web.format import cell
from vivero_data.web.listing import collection_href

_VERBS: Final = {
    "create": "Created",
    "update": "Changed",
    "delete": "Deleted",
    "restore": "Restored",
    "undo": "Took back a change of",
    "upload": "Uploaded",
    "download": "Downloaded",
}
_WHOLE: Final = {
    "audit.verify": "Verified the audit log",
    "audit.seal": "Sealed the log",
    "audit_verify.start": "Had the audit log verified",
    "file.create": "Uploaded file",
    "record.attach": "Attached a file to record",
    "record.detach": "Removed a file from record",
    "index.start": "Had an index added to collection",
    "sample.create": "Started from the template",
    "sample.delete": "Removed the sample data of",
    "workspace_export.start": "Had everything exported of the",
    "workspace_export.download": "Downloaded",
    "workspace_export.delete": "Deleted the export",
    "report_schedule.create": "Had sent by e-mail",
    "report_schedule.update": "Changed the e-mails of",
    "report_schedule.delete": "Ended the e-mails of",
    "report_schedule.stop": "A recipient stopped the e-mails of",
    "report_schedule.end": "Ended by itself: the e-mails of",
    "export.start": "Had records exported of collection",
    "field.start": "Had a field changed:",
    "import.start": "Began an import into collection",
    "import.write": "Imported records into collection",
    "import.finish": "Finished an import into collection",
    "import.fail": "An import stopped into collection",
    "import.undo": "Began to undo an import into collection",
    "import.undo_rows": "Took imported records back from collection",
    "import.undo_finish": "Undid an import into collection",
    "session.start": "Logged in",
    "session.end": "Logged out",
    "session.revoke": "Ended a session",
    "session.revoke_others": "Ended all other sessions",
    "session.refuse": "Login refused",
    "session.block": "Login blocked",
    "session.replay": "Session ended: its token came twice",
    "support.start": "Support looked at the workspace",
    "support.end": "Support access ended",
    "second_factor.start": "Began two-step login",
    "second_factor.end": "Ended two-step login",
    "second_factor.reset": "Ended two-step login of user",
    "second_factor.renew_codes": "Made other recovery codes",
    "second_factor.use_recovery_code": "Logged in with a recovery code",
    "webhook.disable": "Switched off a webhook that had failed for days",
    "webhook.renew_secret": "Made another secret for webhook",
    "api_key.create": "Made API key",
    "api_key.rotate": "Made another secret for API key",
    "api_key.delete": "Revoked API key",
    "user.ask_for_email": "Asked for another e-mail address",
    "user.change_email": "Changed own e-mail address",
    "user.notation": "Changed own notation",
    "user.change_password": "Changed own password",
    "user.reset_password": "Reset the password of user",
    "user.ask_for_reset": "Sent a link to reset the password of user",
    "user.reset_own_password": "Reset own password by mail",
    "workspace.settings": "Changed the workspace's",
    "user.invite": "Invited user",
    "user.accept_invitation": "Accepted the invitation",
    "user.withdraw_invitation": "Withdrew the invitation of user",
}
_BADGE_KINDS: Final = {
    "create": "success",
    "upload": "success",
    "restore": "success",
    "delete": "error",
    "refuse": "error",
    "block": "error",
    "replay": "error",
}
NOUNS: Final = (
    ("record", "Records"),
    ("collection", "Collections"),
    ("field", "Fields"),
    ("report", "Reports"),
    ("report_schedule", "Reports by e-mail"),
    ("dashboard", "Dashboards"),
    ("file", "Files"),
    ("view", "Views"),
    ("export", "Exports"),
    ("workspace_export", "Exports of the workspace"),
    ("import", "Imports"),
    ("user", "Users"),
    ("role", "Roles"),
    ("session", "Logins"),
    ("second_factor", "Two-step login"),
    ("api_key", "API keys"),
    ("webhook", "Webhooks"),
    ("audit", "Seals and verifications"),
)
_ABSENT: Final = object()


class Change(msgspec.Struct, frozen=True):
    """One value before and after; an empty text means none."""

    name: str
    before: str
    after: str


def headline(action: str) -> str:
    """`record.update` → `Changed record`; an unknown action is shown with spaces for its dot and underscores."""
    if action in _WHOLE:
        return _WHOLE[action]
    noun, _, verb = action.partition(".")
    said = _VERBS.get(verb)
    return f"{said} {noun.replace('_', ' ')}" if said else action.replace(".", " ").replace("_", " ").capitalize()


def badge_kind(action: str) -> str:
    """The badge's kind: green for additions, red for removals and refusals."""
    return _BADGE_KINDS.get(action.partition(".")[2], "neutral")


def changes(entry: AuditEntry) -> list[Change]:
    """The changed values in stored order; of a creation or deletion, all that are not empty."""
    before, after = entry.before or {}, entry.after or {}
    names = list(dict.fromkeys([*before, *after]))
    pairs = ((name, before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in names)
    made = [Change(name, _text(old), _text(new)) for name, old, new in pairs if old != new]
    return [change for change in made if change.before or change.after]


def _text(value: Any) -> str:  # noqa: ANN401  a stored value is any JSON
    if value is _ABSENT:
        return ""
    if isinstance(value, dict) and value.keys() == set(RecordFile.__struct_fields__):
        return str(value["name"])
    if isinstance(value, dict):
        return " · ".join(_text(item) for item in value.values())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return cell(value)


def subject_href(entry: AuditEntry) -> str:
    """The page of the changed object; empty if it was deleted or has no page."""
    noun, _, verb = entry.action.partition(".")
    if verb == "delete":
        return ""
    name, _, number = entry.subject.rpartition("/")
    if noun == "record" and name and number.isdigit():
        return f"{collection_href(name)}/records/{number}"
    return collection_href(entry.subject) if noun in {"collection", "export", "import"} else ""
