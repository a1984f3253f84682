"""What the pod needs besides its credentials: the platform's public files, an account without rights, logins of registries."""

from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.constants import Reason

from vivero_operator.manifests import platform_config, pull_secret, service_account
from vivero_operator.manifests.common import Manifest
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    files = await run.services.backends.platform_files()
    logins = [await _login(run, one.name) for one in run.instance.settings.data_plane_pod.image_pull_secrets]
    await run.ensure_all(platform_config.build(run.instance, files), service_account.build(run.instance))
    for login in logins:
        await run.ensure(login, optional=True)
    return done(Reason.PROVISIONED)


async def _login(run: Run, name: str) -> Manifest:
    namespace = run.instance.settings.platform_namespace
    source = await run.find(SECRET, name, namespace)
    if source is None:
        message = f"Secret {name}, with which tenants' pods pull their image, is not in {namespace}"
        raise Pending(Reason.PULL_SECRET_MISSING, message, retry_after=30)
    return pull_secret.build(run.instance, source)
