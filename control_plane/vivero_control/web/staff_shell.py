"""Who of the staff is logged in, and where the login leads."""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request
from vivero_ui.shell import Account, NavItem, NavSection, Shell

from vivero_control.domain.staff.schemas import StaffView

OVERVIEW: Final = "/staff/overview"
HOME: Final = "/staff/tenants"
RUNS: Final = "/staff/orders"
"""For all tenants that match."""
VIEWS: Final = "/staff/views"
BACKUPS: Final = "/staff/backups"
DEAD_LETTERS: Final = "/staff/dead-letters"
BILLING: Final = "/staff/billing"
CONTRACTS: Final = "/staff/contracts"
QUOTES: Final = "/staff/quotes"
INVOICES: Final = "/staff/invoices"
"""Of contracts."""
DELETED: Final = "/staff/deleted"
AUDIT: Final = "/staff/audit"
PLATFORM: Final = "/staff/platform"
FIGURES: Final = "/staff/figures"
ACQUISITION: Final = "/staff/acquisition"
OPERATIONS: Final = "/staff/operations"
LEADS: Final = "/staff/leads"
STATUS: Final = "/staff/status"
PEOPLE: Final = "/staff/people"
WEBHOOKS: Final = "/staff/webhooks"
SECURITY: Final = "/staff/security"
KEYS: Final = "/staff/keys"
LOGIN: Final = "/staff/login"
PASSWORD_SET: Final = "password=set"  # noqa: S105  a query, not a password
"""The login's query after a reset: it says so."""


def safe_next(address: str) -> str:
    """Where to go after the login: a page of staff on this host, never elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HOME
    own = not parts.scheme and not parts.netloc and address.startswith("/staff/") and "\\" not in address
    return address if own and not parts.path.startswith(LOGIN) else HOME


def login_address(request: Request[Any, Any, Any]) -> str:
    """The login, coming back to what was asked for if that was a page."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{LOGIN}?next={quote(asked)}" if request.method == "GET" and asked.startswith("/staff/") else LOGIN


_PAGES: Final = (
    ("Overview", OVERVIEW, "layout-dashboard"),
    ("Tenants", HOME, "boxes"),
    ("Leads", LEADS, "target"),
    ("Figures", FIGURES, "bar-chart-3"),
    ("Operations", OPERATIONS, "gauge"),
    ("Backups", BACKUPS, "archive"),
    ("Deleted", DELETED, "trash-2"),
    ("Billing", BILLING, "credit-card"),
    ("Contracts", CONTRACTS, "file-text"),
    ("Dead letters", DEAD_LETTERS, "inbox"),
    ("Audit log", AUDIT, "scroll-text"),
    ("Platform", PLATFORM, "database"),
    ("Status page", STATUS, "activity"),
)
_FOR_ADMINS: Final = (("People", PEOPLE, "users"), ("Webhooks", WEBHOOKS, "zap"))


def shell(staff: StaffView, here: str = HOME) -> Shell:
    """The frame of every staff page; `here` is the page of the navigation that it belongs to."""
    pages = _PAGES + _FOR_ADMINS if staff.role == "admin" else _PAGES
    return Shell(
        brand="Vivero",
        subtitle="Staff console",
        home_href=HOME,
        sections=(NavSection([NavItem(label, href, icon, active=href == here) for label, href, icon in pages]),),
        account=Account(
            name=staff.email.partition("@")[0], email=staff.email, logout_href="/staff/logout", security_href=SECURITY
        ),
        search_href=f"{HOME}?q=",
        search_label="Search tenants for",
    )
