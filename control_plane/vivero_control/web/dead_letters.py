"""The staff's page about jobs that were given up, and their replay."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.errors import ConflictError

from vivero_control.domain.dead_letters.service import DeadLetterService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.jobs.outbox import KEEP_PAYLOAD
from vivero_control.web.staff_shell import DEAD_LETTERS, shell

REPLAYED: Final = "It is tried again now, and leaves this list. If it fails again, it comes back."


async def _page(
    letters: DeadLetterService, member: StaffView, *, done: str = "", error: ConflictError | None = None
) -> Template:
    context: dict[str, Any] = {
        "shell": shell(member, DEAD_LETTERS),
        "letters": await letters.newest(),
        "kept_days": KEEP_PAYLOAD.days,
        "done": done,
        "error": error.detail if error else "",
    }
    return Template("pages/dead_letters.html.j2", context=context, status_code=error.status if error else 200)


class DeadLettersController(Controller):
    """Behind the staff login."""

    path = DEAD_LETTERS
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="dead-letters")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        dead_letters: NamedDependency[DeadLetterService],
    ) -> Template:
        return await _page(dead_letters, member, done=REPLAYED if "replayed" in request.query_params else "")

    @post("/{letter:int}/replay", status_code=HTTP_303_SEE_OTHER)
    async def replay(
        self,
        letter: FromPath[int],
        member: NamedDependency[StaffView],
        dead_letters: NamedDependency[DeadLetterService],
    ) -> Redirect | Template:
        try:
            await dead_letters.replay(letter, member.email)
        except ConflictError as error:
            return await _page(dead_letters, member, error=error)
        return Redirect(f"{DEAD_LETTERS}?replayed", status_code=HTTP_303_SEE_OTHER)
