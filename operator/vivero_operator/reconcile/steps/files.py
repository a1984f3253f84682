"""What the pod needs besides its Secrets: the platform's public files and an account without rights."""

from vivero_core.model.constants import Reason

from vivero_operator.manifests import platform_config, service_account
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    files = await run.services.backends.platform_files()
    await run.ensure_all(platform_config.build(run.instance, files), service_account.build(run.instance))
    return done(Reason.PROVISIONED)
