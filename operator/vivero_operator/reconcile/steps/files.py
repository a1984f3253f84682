"""What the pod reads besides its credentials: the platform's public files, further logins, mail, where errors are reported, and changed limits."""

from collections.abc import Callable
from typing import Any

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import POD, SECRET
from vivero_core.model.constants import ANNOTATION_LIMITS, Reason

from vivero_operator.instance import Instance, Manifest, labels
from vivero_operator.manifests import copies, secrets
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    files = await run.services.backends.platform_files()
    settings = run.instance.settings
    logins = [await _login(run, one.name) for one in settings.data_plane_pod.image_pull_secrets]
    await run.ensure_all(copies.platform(run.instance, files), copies.account(run.instance))
    for login in logins:
        await run.ensure(login, optional=True)
    await _optional(run, copies.MAIL, settings.mail_secret, copies.mail)
    await _optional(run, copies.TELEMETRY, settings.workspace_telemetry_secret, copies.telemetry)
    return done(Reason.PROVISIONED)


async def _optional(run: Run, name: str, source: str, copy: Callable[[Instance, dict[str, Any]], Manifest]) -> None:
    """Copy the platform's Secret `source`, or remove the copy. Nothing depends on it: a workspace works without."""
    settings = run.instance.settings
    found = await run.find(SECRET, source, settings.platform_namespace) if source else None
    if found is not None:
        await run.ensure(copy(run.instance, found), optional=True)
    elif not run.fresh:
        await run.remove(SECRET, name, run.instance.namespace, belongs=labels(run.instance))


async def _login(run: Run, name: str) -> Manifest:
    namespace = run.instance.settings.platform_namespace
    source = await run.find(SECRET, name, namespace)
    if source is None:
        message = f"Image pull Secret {name} does not exist in namespace {namespace}"
        raise Pending(Reason.PULL_SECRET_MISSING, message, retry_after=30)
    return copies.login(run.instance, source)


async def _touch(run: Run, pod: Pod, digest: str) -> None:
    patch = {"metadata": {"annotations": {ANNOTATION_LIMITS: digest}}}
    try:
        await run.kube.patch(POD, pod.name, patch, pod.namespace)
    except KubeNotFoundError:
        return  # it went meanwhile; its successor starts with the new limits


async def announce_limits(run: Run) -> Outcome:
    """Tell running pods about changed limits: a touched annotation makes kubelet refresh the mounted file at once."""
    if run.limits_changed:
        digest = secrets.limits_digest(run.instance)
        for pod in run.services.cluster.pods(run.instance.id):
            if pod.limits != digest:
                await _touch(run, pod, digest)
    return done(Reason.PROVISIONED)
