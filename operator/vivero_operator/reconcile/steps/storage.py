"""The tenant's bucket and the account that owns it."""

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.model import naming
from vivero_core.model.constants import ConditionType, Reason

from vivero_operator.errors import DataGoneError
from vivero_operator.policies import loss
from vivero_operator.policies.outcome import Blocked, Outcome, done
from vivero_operator.reconcile.run import Run


def _provision(admin: StorageAdmin, account: Credentials, *, holds_data: bool) -> list[Correction]:
    """What had to be written.

    Raises:
        DataGoneError: the bucket was in use and is gone.
    """
    if holds_data and not admin.bucket_exists(account.name):
        raise DataGoneError
    return [*admin.ensure_account(account), *admin.ensure_bucket(account.name, account.name)]


async def ensure(run: Run) -> Outcome:
    account = Credentials(naming.bucket_name(run.instance.id), run.known_keys().storage_secret)
    client = await run.services.backends.storage()
    try:
        written = await client.lane.call(_provision, client.admin, account, holds_data=run.established)
    except DataGoneError as error:
        run.lost = True
        raise Blocked(Reason.DATA_LOST, loss.of_bucket(account.name)) from error
    run.correct("storage", ConditionType.STORAGE_READY, account.secret, written)
    return done(Reason.PROVISIONED, "Bucket and account")


def drop(admin: StorageAdmin, bucket: str, *, data: bool) -> None:
    admin.delete_account(bucket)
    if data:
        admin.delete_bucket(bucket)


async def remove(run: Run) -> Outcome:
    """Drop the account, and with deletionPolicy Delete the bucket with all it holds."""
    data = run.tenant.goes_with_its_data
    client = await run.services.backends.storage()
    await client.lane.long(drop, client.admin, naming.bucket_name(run.instance.id), data=data)
    return done(Reason.ERASED if data else Reason.RETAINED)
