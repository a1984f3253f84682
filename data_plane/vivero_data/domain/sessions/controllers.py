"""`/api/v1/sessions`."""

from litestar import Controller, delete, get
from litestar.di import NamedDependency

from vivero_data.domain.auth.guards import needs_person
from vivero_data.domain.sessions.schemas import LoginId, SessionView
from vivero_data.domain.sessions.service import SessionService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class SessionController(Controller):
    """Where the caller is logged in."""

    path = "/sessions"
    tags = ("Authentication",)
    guards = (needs_person,)

    @get()
    async def list_sessions(
        self,
        actor: NamedDependency[Actor],
        own_sessions: NamedDependency[SessionService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[SessionView]:
        """A page of the caller's sessions, the newest first."""
        return await own_sessions.list(actor, limit, cursor)

    @delete()
    async def end_other_sessions(
        self, actor: NamedDependency[Actor], own_sessions: NamedDependency[SessionService]
    ) -> None:
        """End all of the caller's sessions but the one that asks."""
        await own_sessions.end_others(actor)

    @delete("/{login_id:int}")
    async def end_session(
        self, actor: NamedDependency[Actor], own_sessions: NamedDependency[SessionService], login_id: LoginId
    ) -> None:
        """End one of the caller's sessions."""
        await own_sessions.end(actor, login_id)
