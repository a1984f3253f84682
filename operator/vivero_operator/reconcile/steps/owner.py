"""Tells the tenant who it is: its name and address, and its owner's account.

The password hash travels in a Secret of the signups' namespace, which is deleted after use.
"""

import base64

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.model import tenant as model
from vivero_core.model.conditions import Condition, Status, find, is_true
from vivero_core.model.constants import PASSWORD_HASH_KEY, ConditionType, Reason

from vivero_operator.data_plane import Owner, Workspace
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run, starting


def _known(run: Run) -> Condition | None:
    return find(run.tenant.status.conditions, ConditionType.OWNER_READY)


def _exists(run: Run) -> bool:
    known = _known(run)
    return known is not None and known.reason == Reason.ACCOUNT_EXISTS


def _told(run: Run) -> bool:
    """Whether it has heard all that the spec says now."""
    known, generation = _known(run), run.tenant.metadata.generation
    return known is not None and known.status is Status.TRUE and known.observed_generation == generation


async def ensure(run: Run) -> Outcome:
    owner = run.owner
    named = owner.password_hash_secret is not None
    if not _told(run):
        new = named and not _exists(run)
        await tell(run, await _account(run, owner) if new else None)
    if named or _exists(run):
        return done(Reason.ACCOUNT_EXISTS, owner.email)
    return done(Reason.NO_PASSWORD_GIVEN, "spec.owner names no password: nobody can log in with one yet")


async def tell(run: Run, account: Owner | None = None) -> None:
    """Name, address, and the account to make if there is none."""
    pod, who = run.ready_pod(), workspace(run)
    if pod is None or pod.ip is None:
        raise starting([])
    if who is not None:
        await run.services.data_plane.put_workspace(pod.ip, run.known_keys().operator_token, who, account)


def workspace(run: Run) -> Workspace | None:
    """Who the tenant is to its users; a spare is nobody yet."""
    url = run.instance.url
    return Workspace(run.tenant.spec.display_name, url) if url else None


async def _account(run: Run, owner: model.Owner) -> Owner:
    password_hash = await _password_hash(run, owner.password_hash_secret or "")
    return Owner(owner.email, owner.email.partition("@")[0], password_hash)


async def _password_hash(run: Run, name: str) -> str:
    secret = await run.find(SECRET, name, run.instance.settings.signups_namespace)
    encoded = (secret or {}).get("data", {}).get(PASSWORD_HASH_KEY)
    if not encoded:
        message = f"Secret {name} with the owner's password hash is not in {run.instance.settings.signups_namespace}"
        raise Pending(Reason.PASSWORD_SECRET_MISSING, message, retry_after=15)
    return base64.b64decode(encoded).decode()


async def forget_password(run: Run) -> Outcome:
    """Delete the Secret once the account's existence stands in the status, so that a crash loses no password."""
    if _exists(run) and is_true(run.tenant.status.conditions, ConditionType.OWNER_READY):
        await _delete(run)
    return done(Reason.ACCOUNT_EXISTS)


async def remove(run: Run) -> Outcome:
    """A tenant that goes before its account was made leaves no hash behind."""
    await _delete(run)
    return done(Reason.ERASED)


async def _delete(run: Run) -> None:
    name = run.tenant.spec.owner.password_hash_secret if run.tenant.spec.owner else None
    if name is None:
        return
    namespace = run.instance.settings.signups_namespace
    secret = await run.find(SECRET, name, namespace)
    if secret is None:
        return
    try:
        await run.kube.delete(SECRET, name, namespace, uid=secret["metadata"]["uid"])
    except KubeNotFoundError:
        return
