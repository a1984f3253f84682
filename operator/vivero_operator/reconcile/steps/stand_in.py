"""Removes the stand-in page before a workspace is Ready: its address then leads to its own pods alone."""

from vivero_core.model.constants import Reason

from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run


async def leave(run: Run) -> Outcome:
    """Mostly there is nothing to do, and nothing is asked: the event of the pod was faster, or no page was ever shown."""
    await run.services.stand_ins.settle(run.instance.id)
    return done(Reason.ROUTED)
