"""The staff's pages about an order for all tenants that match: what it would do, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import convert, structs
from vivero_web.bodies import read_form
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_control.domain.bulk_runs.schemas import ItemState, Matching, NewRun, OthersMatchError
from vivero_control.domain.bulk_runs.service import BulkRuns
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.schemas import Wanted
from vivero_control.domain.tenants.bulk import BulkResult, Outcome
from vivero_control.web import presentation
from vivero_control.web.bulk import WORDS, action_in, order, proposed
from vivero_control.web.saved_views import words
from vivero_control.web.staff_shell import HOME, RUNS, shell
from vivero_control.web.tenant_forms import ActionForm

SHOWN: Final = 20
"""Tenants of each kind that the preview names."""
LEFT: Final = {ItemState.REFUSED: "Refused", ItemState.GIVEN_UP: "Given up"}


def matching(wanted: Wanted) -> Matching:
    """The list's filters, without its order and columns."""
    return Matching(search=wanted.search, plan=wanted.plan, state=wanted.state, only=wanted.only)


@dataclass(frozen=True, slots=True)
class RunPages:
    """What the pages need; Litestar makes it from the services it names."""

    bulk_runs: NamedDependency[BulkRuns]
    member: NamedDependency[StaffView]
    clock: NamedDependency[Clock]

    def preview(
        self,
        typed: Mapping[str, str],
        form: ActionForm,
        errors: Mapping[str, str],
        problem: str = "",
    ) -> Template:
        action, wanted = action_in(typed), policies.read(typed)
        try:
            result = self.bulk_runs.preview(matching(wanted), proposed(action, form, self.clock()))
        except InvalidInputError as error:
            result, errors = BulkResult(lines=()), error.by_field
        possible, refused = result.of(Outcome.POSSIBLE), result.of(Outcome.REFUSED)
        filters = {name: value for name, value in policies.written(wanted).items() if name not in {"sort", "columns"}}
        context: dict[str, Any] = {
            "shell": shell(self.member),
            "here": RUNS,
            "back": HOME,
            "action": action,
            "words": WORDS[action],
            "filter_words": words(wanted).rpartition(" · ")[0],
            "filters": filters,
            "possible": len(possible),
            "some": possible[:SHOWN],
            "refused": refused[:SHOWN],
            "refused_count": len(refused),
            "form": form,
            "errors": errors,
            "problem": problem,
            "reasons": [(str(reason), said) for reason, said in presentation.REASONS.items()],
        }
        return Template("pages/bulk_run_new.html.j2", context=context, status_code=422 if errors or problem else 200)


class BulkRunsController(Controller):
    """Behind the staff login."""

    path = RUNS
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "shown": Provide(RunPages, sync_to_thread=False),
    }

    @post("/", status_code=HTTP_200_OK)
    async def give(self, request: Request[Any, Any, Any], shown: NamedDependency[RunPages]) -> Response[Any]:
        """A preview, until the order is confirmed for the count that was seen."""
        typed = await read_form(request)
        form, errors, problem = convert(typed, ActionForm), dict[str, str](), ""
        if "confirmed" in typed:
            count = whole_number(typed["confirmed"]) or 0
            try:
                said = order(action_in(typed), form)
                new = NewRun(**structs.asdict(said), matching=matching(policies.read(typed)), count=count)
                made = await shown.bulk_runs.give(new, shown.member)
                return Redirect(f"{RUNS}/{made.id}", status_code=HTTP_303_SEE_OTHER)
            except InvalidInputError as error:
                errors = dict(error.by_field)
            except OthersMatchError as error:
                problem = error.detail
        return shown.preview(typed, form, errors, problem)

    @get("/{number:int}", name="bulk-run")
    async def page(self, number: FromPath[int], shown: NamedDependency[RunPages]) -> Template:
        run = await shown.bulk_runs.get(number)
        context: dict[str, Any] = {
            "shell": shell(shown.member),
            "here": f"{RUNS}/{number}",
            "back": HOME,
            "run": run,
            "words": WORDS[run.action],
            "states": LEFT,
        }
        return Template("pages/bulk_run.html.j2", context=context)
