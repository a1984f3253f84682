"""The kit's parts on one page, for eyes and screenshots; not shipped.

`uvicorn --app-dir ui/gallery --port 8899 app:app`
"""

from datetime import UTC, datetime
from pathlib import Path

from litestar import Litestar, get
from litestar.response import Template
from vivero_ui.errors import error_page
from vivero_ui.shell import Account, NavItem, NavSection, Shell
from vivero_ui.static import static_router
from vivero_ui.templates import template_config
from vivero_web.current_request import Proxies
from vivero_web.request_context import RequestContext

HERE = Path(__file__).parent
SHELL = Shell(
    brand="Acme GmbH",
    subtitle="Trial",
    home_href="/",
    sections=(
        NavSection((NavItem("Overview", "/", "layout-dashboard", active=True), NavItem("Files", "/f", "files"))),
        NavSection(
            (NavItem("Customers", "/c", "table-2", count=8421), NavItem("Invoices", "/i", "table-2")), "Collections"
        ),
        NavSection((NavItem("Users", "/u", "users"), NavItem("Audit log", "/a", "scroll-text")), "Workspace"),
    ),
    account=Account("Ada Lovelace", "ada@acme.example", "/logout"),
    search_href="/?q=",
    search_label="Search records for",
)
STEPS = [
    {"name": "Namespace", "state": "done", "detail": "", "took": 0.11},
    {"name": "Database", "state": "done", "detail": "Your own schema and user", "took": 0.34},
    {"name": "Workspace starts", "state": "now", "detail": "Waiting for the first answer", "took": None},
    {"name": "Proof", "state": "wait", "detail": "", "took": None},
    {"name": "Address", "state": "failed", "detail": "The name could not be routed", "took": 12.0},
]
ROWS = [
    {"name": "Acme GmbH", "status": "Ready", "kind": "success", "plan": "Trial", "records": 8421},
    {"name": "Bähr & Söhne <b>KG</b>", "status": "Provisioning", "kind": "info", "plan": "Starter", "records": 120},
    {"name": "Contoso", "status": "Suspended", "kind": "error", "plan": "Professional", "records": 480112},
    {
        "name": "Very long company name that goes on and on GmbH & Co. KG",
        "status": "Ready",
        "kind": "success",
        "plan": "Trial",
        "records": 0,
    },
]


@get("/", sync_to_thread=False)
def gallery(dialog: bool = False) -> Template:  # noqa: FBT001, FBT002  a query parameter
    context = {"shell": SHELL, "items": STEPS, "rows": ROWS, "now": datetime.now(UTC), "dialog_open": dialog}
    return Template("gallery.html.j2", context=context)


@get("/error/{status:int}", sync_to_thread=False)
def error(status: int) -> Template:
    return Template(
        "vivero/error.html.j2", context={"error": error_page(status, "01JD3K9Q2MZT1VXA")}, status_code=status
    )


app = Litestar(
    [gallery, error, static_router()],
    template_config=template_config([HERE / "templates"]),
)
app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="")
