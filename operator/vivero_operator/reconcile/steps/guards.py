"""Bounds around the pods: quota, network policy, disruption budget. Beside the pod's start, not before it."""

from vivero_core.model.constants import Reason

from vivero_operator.manifests import network_policy, pod_disruption_budget, resource_quota
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    await run.ensure_all(
        network_policy.build(run.instance),
        resource_quota.build(run.instance),
        pod_disruption_budget.build(run.instance),
    )
    return done(Reason.PROVISIONED)
