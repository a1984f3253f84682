"""The owner's account. Its password hash travels in a Secret of the signups' namespace, which is deleted after use."""

import base64

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.conditions import find, is_true
from vivero_core.model.constants import PASSWORD_HASH_KEY, ConditionType, Reason

from vivero_operator.data_plane import Owner
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run, starting


def _exists(run: Run) -> bool:
    known = find(run.tenant.status.conditions, ConditionType.OWNER_READY)
    return known is not None and known.reason == Reason.ACCOUNT_EXISTS


async def ensure(run: Run) -> Outcome:
    owner = run.tenant.spec.owner
    if _exists(run):
        return done(Reason.ACCOUNT_EXISTS, owner.email)
    if owner.password_hash_secret is None:
        return done(Reason.NO_PASSWORD_GIVEN, "spec.owner names no password: nobody can log in with one yet")
    password_hash = await _password_hash(run, owner.password_hash_secret)
    pod = run.ready_pod()
    if pod is None or pod.ip is None:
        raise starting([])
    account = Owner(owner.email, owner.email.partition("@")[0], password_hash)
    await run.services.data_plane.put_owner(pod.ip, run.known_keys().operator_token, account)
    return done(Reason.ACCOUNT_EXISTS, owner.email)


async def _password_hash(run: Run, name: str) -> str:
    secret = await run.find(SECRET, name, run.instance.settings.signups_namespace)
    encoded = (secret or {}).get("data", {}).get(PASSWORD_HASH_KEY)
    if not encoded:
        message = f"Secret {name} with the owner's password hash is not in {run.instance.settings.signups_namespace}"
        raise Pending(Reason.PASSWORD_SECRET_MISSING, message, retry_after=15)
    return base64.b64decode(encoded).decode()


async def forget_password(run: Run) -> Outcome:
    """Delete the Secret once the account's existence stands in the status, so that a crash loses no password."""
    name = run.tenant.spec.owner.password_hash_secret
    if name is not None and _exists(run) and is_true(run.tenant.status.conditions, ConditionType.OWNER_READY):
        await _delete(run, name)
    return done(Reason.ACCOUNT_EXISTS)


async def remove(run: Run) -> Outcome:
    """A tenant that goes before its account was made leaves no hash behind."""
    name = run.tenant.spec.owner.password_hash_secret
    if name is not None:
        await _delete(run, name)
    return done(Reason.ERASED)


async def _delete(run: Run, name: str) -> None:
    namespace = run.instance.settings.signups_namespace
    secret = await run.find(SECRET, name, namespace)
    if secret is None:
        return
    try:
        await run.kube.delete(SECRET, name, namespace, uid=secret["metadata"]["uid"])
    except KubeNotFoundError:
        return
