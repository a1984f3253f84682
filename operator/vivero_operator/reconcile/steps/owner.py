"""Requests to the workspace itself: set its name, address and owner, and run the proof that all works.

Every change of the owner is applied. The password hash travels in a Secret of the signups' namespace, which is
deleted after use. What the data plane answered is kept in status.owner: a
condition says how the last attempt went, and a failure must not erase what is known.
"""

import base64
import binascii
from datetime import timedelta

from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.conditions import Status, find, is_true
from vivero_core.model.constants import PASSWORD_HASH_KEY, ConditionType, Reason
from vivero_core.model.tenant import OwnerStatus

from vivero_operator.data_plane import Owner, Workspace
from vivero_operator.errors import DataPlaneRefusedError
from vivero_operator.instance import Manifest
from vivero_operator.policies import allocation as policy
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import workload

_SECRET_AGAIN_SECONDS = 15.0
_REFUSED_AGAIN_SECONDS = 60.0


def _known(run: Run) -> OwnerStatus:
    return run.tenant.status.owner or OwnerStatus()


def _told(run: Run) -> bool:
    """Whether the current spec was applied."""
    known, generation = find(run.tenant.status.conditions, ConditionType.OWNER_READY), run.tenant.metadata.generation
    return known is not None and known.status is Status.TRUE and known.observed_generation == generation


async def ensure(run: Run) -> Outcome:
    known, named = _known(run), run.owner.password_hash_secret
    run.owner_status = known
    secret = await _password_secret(run, known)
    password_hash = _password_hash(run, secret) if secret is not None else None
    if password_hash is not None or (run.owner_status is known and not _told(run)):
        run.owner_status = await _tell(run, password_hash)
        run.password_secret = secret
    exists = run.owner_status.email
    if exists is None:
        return done(Reason.NO_PASSWORD_GIVEN, "No password login yet: spec.owner has no passwordHashSecret")
    if exists.lower() != run.owner.email.lower() and named is None:
        message = f"{exists} can log in; {run.owner.email} has no account, because spec.owner has no passwordHashSecret"
        return done(Reason.ACCOUNT_EXISTS, message)
    return done(Reason.ACCOUNT_EXISTS, exists)


async def tell(run: Run) -> None:
    """Set name and address again: the workspace lost them, or never got them."""
    await _tell(run, None)


async def _tell(run: Run, password_hash: str | None) -> OwnerStatus:
    """What the data plane answers to name, address and owner."""
    pod, who, known = workload.answering(run), workspace(run), _known(run)
    if who is None:
        return known
    owner = run.owner
    account = Owner(owner.email, owner.email.partition("@")[0], password_hash, known.email)
    token = run.known_keys().operator_token
    try:
        email = await run.services.data_plane.put_workspace(pod.ip or "", token, who, account)
    except DataPlaneRefusedError as error:
        raise Pending(Reason.OWNER_REFUSED, str(error), retry_after=_REFUSED_AGAIN_SECONDS) from error
    applied = owner.password_hash_secret if password_hash is not None else known.password_hash_secret
    return OwnerStatus(email=email, password_hash_secret=applied)


def workspace(run: Run) -> Workspace | None:
    """The workspace's identity; a spare has none yet."""
    url = run.instance.url
    return Workspace(run.tenant.spec.display_name, url) if url else None


async def _password_secret(run: Run, known: OwnerStatus) -> Manifest | None:
    """The Secret with the hash to be applied now; None when there is none, or it was applied and deleted.

    A Secret that exists is applied, also one that has the name of an earlier one.
    """
    name, namespace = run.owner.password_hash_secret, run.instance.settings.signups_namespace
    if name is None:
        return None
    secret = await run.find(SECRET, name, namespace)
    if secret is None and (known.password_hash_secret == name or await _was_applied_before(run, known, name)):
        return None
    if secret is None or not secret.get("data", {}).get(PASSWORD_HASH_KEY):
        message = f"Secret {name} with key {PASSWORD_HASH_KEY} does not exist in namespace {namespace}"
        raise Pending(Reason.PASSWORD_SECRET_MISSING, message, retry_after=_SECRET_AGAIN_SECONDS)
    return secret


async def _was_applied_before(run: Run, known: OwnerStatus, name: str) -> bool:
    """Whether the account was made under an earlier Tenant, whose status is gone: an adopted one names its Secret still."""
    if known.password_hash_secret is not None:
        return False
    answer = await _tell(run, None)
    if answer.email is None or answer.email.lower() != run.owner.email.lower():
        return False
    run.owner_status = OwnerStatus(email=answer.email, password_hash_secret=name)
    return True


def _password_hash(run: Run, secret: Manifest) -> str:
    try:
        return base64.b64decode(secret["data"][PASSWORD_HASH_KEY], validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        name, namespace = secret["metadata"]["name"], run.instance.settings.signups_namespace
        message = f"Secret {name} in {namespace}: {PASSWORD_HASH_KEY} is not an argon2id hash in PHC format"
        raise Pending(Reason.OWNER_REFUSED, message, retry_after=_SECRET_AGAIN_SECONDS) from None


async def forget_password(run: Run) -> bool:
    """Delete the Secret that this pass applied; after the status says so, for a crash must lose no password.

    False when it was written again since: then the next pass applies it.
    """
    if run.password_secret is None:
        return True
    meta = run.password_secret["metadata"]
    try:
        await run.kube.delete(
            SECRET, meta["name"], meta["namespace"], uid=meta["uid"], resource_version=meta["resourceVersion"]
        )
    except KubeNotFoundError:
        return True
    except KubeConflictError:
        return False
    return True


async def remove(run: Run) -> Outcome:
    """Delete the password hash of a tenant that is deleted before its account was created."""
    name = run.tenant.spec.owner.password_hash_secret if run.tenant.spec.owner else None
    secret = await run.find(SECRET, name, run.instance.settings.signups_namespace) if name is not None else None
    if secret is not None:
        await run.delete(SECRET, secret)
    return done(Reason.ERASED)


def _proof_stands(run: Run) -> bool:
    """Whether the last proof still counts: young enough, of this generation and release, and nothing was wrong since."""
    status = run.tenant.status
    if status.proven_at is None or status.observed_generation != run.tenant.metadata.generation:
        return False
    if run.corrected or status.release != run.release:
        return False
    age = run.services.now() - status.proven_at
    young = age < timedelta(seconds=run.services.settings.proof_seconds)
    return young and is_true(status.conditions, ConditionType.READY)


async def prove(run: Run) -> Outcome:
    """Ready is a proof: the tenant's own pod has just used its schema, its bucket and its cache keys."""
    if _proof_stands(run):
        return done(Reason.PROVEN)
    pod = workload.answering(run)
    neighbour = policy.neighbour(run.tenant, run.services.cluster.tenants)
    proof = await run.services.data_plane.proof(pod.ip or "", run.known_keys().operator_token, neighbour)
    if not proof.ok:
        broken = ", ".join(proof.failing) or "the workspace"
        message = f"Proof failed: the tenant's credentials do not work, or give access to another tenant: {broken}"
        raise Pending(Reason.PROOF_FAILED, message, retry_after=5)
    if proof.workspace != workspace(run):
        await tell(run)  # it lost them, or never got them
    run.proven_at = run.services.now()
    run.version = proof.version
    return done(Reason.PROVEN)
