"""What all pages of a workspace's account have in common: who has come, the head with the sections, and what may be sent."""

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.response import Template
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, TooManyRequestsError, UnavailableError, WebError
from vivero_web.request_context import note_person

from vivero_control.domain.accounts.service import ManagedWorkspaces, Visit
from vivero_control.domain.accounts.sessions import COOKIE, AccountSessions, Holder
from vivero_control.domain.billing.service import BillingService
from vivero_control.settings import Settings
from vivero_control.web import billing_lines
from vivero_control.web.site import ACCOUNT, form_page, known

REFUSALS: Final = (InvalidInputError, ConflictError, TooManyRequestsError, UnavailableError)
"""What a page of the account says beside the form."""

_SECTIONS: Final = (
    ("", "Overview"),
    ("/plan", "Plan and invoices"),
    ("/backups", "Backups"),
    ("/people", "People"),
    ("/support", "Support"),
    ("/domains", "Domains"),
    ("/settings", "Settings"),
    ("/data", "Your data"),
)


async def session_of(request: Request[Any, Any, Any], accounts: AccountSessions) -> Holder | None:
    """Who has come, noted for the log line by the workspace; None without a session."""
    holder = await accounts.read(request.cookies.get(COOKIE))
    if holder is not None:
        note_person(request.scope, f"account/{holder.tenant}")
    return holder


async def session_visit(
    request: Request[Any, Any, Any],
    accounts: NamedDependency[AccountSessions],
    managed: NamedDependency[ManagedWorkspaces],
) -> Visit:
    """Dependency `visit` of pages behind the link. Raises as `ManagedWorkspaces.visit`."""
    managed.check_on()
    return await managed.visit(await session_of(request, accounts))


@dataclass(frozen=True, slots=True)
class Portal:
    """Renders the pages of one workspace; Litestar makes it from what it names."""

    billing: NamedDependency[BillingService]
    settings: NamedDependency[Settings]
    clock: NamedDependency[Clock]
    visit: NamedDependency[Visit]

    def page(self, name: str, section: str = "", error: WebError | None = None, /, **context: object) -> Template:
        """The page of this name below the head; `section` is the one of _SECTIONS that it belongs to."""
        offers = known(self.billing.offers)
        return form_page(
            name,
            self.settings,
            error,
            workspace=billing_lines.workspace(self.visit.tenant, self.settings.tenant_url, offers, self.clock()),
            sections=[(words, ACCOUNT + path, path == section) for path, words in _SECTIONS],
            visit=self.visit,
            **context,
        )


BEHIND_THE_LINK: Final = {
    "visit": Provide(session_visit),
    "portal": Provide(Portal, sync_to_thread=False),
}
