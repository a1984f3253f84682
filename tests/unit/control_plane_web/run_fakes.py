"""Orders for all tenants that match, in memory."""

from collections.abc import Sequence

from msgspec import structs
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.bulk_runs.schemas import (
    ItemState,
    Matching,
    NewRun,
    OthersMatchError,
    RunItem,
    RunNotFoundError,
    RunView,
)
from vivero_control.domain.bulk_runs.service import BulkRuns
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.bulk import BulkAction, BulkLine, BulkResult, Order, Outcome
from vivero_web.errors import InvalidInputError


def run(number: int = 1, **changes: object) -> RunView:
    """Under way, with some that were left."""
    left = tuple(
        RunItem(tenant=f"acme-{one}", state=state, message=message)
        for one, (state, message) in enumerate(
            [
                (
                    ItemState.REFUSED,
                    "The tenant “acme-0” was changed meanwhile. Look at its new state and decide again.",
                ),
                (ItemState.GIVEN_UP, "The cluster did not answer in time."),
            ]
        )
    )
    made = RunView(
        id=number,
        action=BulkAction.SUSPEND,
        actor="ada@vivero.example",
        reason="Donaudampfschifffahrtsgesellschaft has not paid since 株式会社ビベロ asked",
        made_at=NOW,
        total=1_000,
        waiting=400,
        done=598,
        refused=1,
        given_up=1,
        left=left,
    )
    return structs.replace(made, **changes)


class FakeBulkRuns(BulkRuns):
    """Of `possible` an order makes sense; of two more it does not."""

    def __init__(self, possible: int = 137, runs: Sequence[RunView] = ()) -> None:
        self.possible = possible
        self.given: list[NewRun] = []
        self.runs = {one.id: one for one in runs or (run(1), run(2, waiting=0, done=998))}

    def preview(self, matching: Matching, order: Order) -> BulkResult:
        del order
        if matching.search == "nothing":
            raise InvalidInputError.of("matching", "No tenant matches.")
        lines = [
            BulkLine(name=f"acme-{one}", outcome=Outcome.POSSIBLE, message=f"Acme {one}", generation=1)
            for one in range(self.possible)
        ]
        refused = [
            BulkLine(name=f"closed-{one}", outcome=Outcome.REFUSED, message="It is suspended already.", generation=None)
            for one in range(2)
        ]
        return BulkResult(lines=(*lines, *refused))

    async def give(self, new: NewRun, actor: StaffView, operation: object = None) -> RunView:  # noqa: ARG002  as the real one
        if new.count != self.possible:
            raise OthersMatchError(self.possible)
        self.given.append(new)
        return run(2, actor=actor.email)

    async def get(self, number: int) -> RunView:
        if number not in self.runs:
            raise RunNotFoundError
        return self.runs[number]
