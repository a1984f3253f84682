"""The tenant's cache user, which sees the keys under its prefix and no other."""

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.model import naming
from vivero_core.model.constants import ConditionType, Reason

from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    user = Credentials(naming.cache_user(run.instance.id), run.known_keys().cache_password)
    client = await run.services.backends.cache()
    written = await client.lane.call(client.admin.ensure_user, user)
    run.correct("cache", ConditionType.CACHE_READY, user.secret, written)
    return done(Reason.PROVISIONED, "Cache user")


def drop(admin: CacheAdmin, user: str) -> None:
    admin.drop_user(user)
    admin.delete_keys(user)


async def remove(run: Run) -> Outcome:
    """Drop the user and its keys, whatever the deletion policy: a cache holds nothing that is not elsewhere."""
    client = await run.services.backends.cache()
    await client.lane.long(drop, client.admin, naming.cache_user(run.instance.id))
    return done(Reason.ERASED)
