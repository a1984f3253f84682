"""What a tenant has on the backing servers: a schema and its user, a bucket and the account that owns it, a cache user.

A cache user sees the keys under its prefix and no other. The schema is on the server that the tenant was placed on.
"""

from typing import Final

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.errors import KubeForbiddenError
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.errors import BackendKeyGoneError
from vivero_core.model import naming
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.errors import DataGoneError
from vivero_operator.policies import allocation, outcome
from vivero_operator.policies.outcome import Blocked, Outcome, Pending, done
from vivero_operator.reconcile import archives
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import secrets

_AGAIN_SECONDS: Final = 0.5
"""After a new access key: the rest of the pass, and the pods, still have the old one."""


def provision_database(
    admin: DatabaseAdmin, user: Credentials, database: str, connections: int, *, holds_data: bool
) -> list[Correction]:
    """What had to be written. Where the schema is to hold data and does not, nothing is.

    Raises:
        DataGoneError: the data is gone.
    """
    if holds_data and not admin.holds_data(database):
        raise DataGoneError(empty=admin.database_exists(database))
    return [*admin.ensure_database(database), *admin.ensure_user(user, database, connections)]


async def ensure_database(run: Run) -> Outcome:
    address, name = run.known_address(), naming.database_name(run.instance.id)
    server = _server(run, address.server)
    user = Credentials(naming.database_users(run.instance.id)[0], run.known_keys().database_password)
    connections = run.instance.connections
    await archives.publish_key(run.services, server, run.instance.id, run.known_keys().file_key)
    client = await run.services.backends.database(server)
    try:
        written = await client.breaker.call(
            provision_database, client.admin, user, name, connections, holds_data=run.established
        )
    except DataGoneError as error:
        run.lost = True
        sentence = outcome.of_tables if error.empty else outcome.of_schema
        raise Blocked(Reason.DATA_LOST, sentence(name, server.name)) from error
    run.correct("database", ConditionType.DATABASE_READY, [user.secret, connections, server.spec.host], written)
    return done(Reason.PROVISIONED, f"Schema on {server.name}")


def _server(run: Run, name: str) -> DatabaseServer:
    server = run.services.cluster.servers.get(name)
    if server is None:
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, f"DatabaseServer {name} does not exist")
    return server


def drop_database(admin: DatabaseAdmin, ident: str, *, data: bool) -> None:
    name = naming.database_name(ident)
    admin.drop_users(name)
    if data:
        admin.drop_database(name)


async def remove_database(run: Run) -> Outcome:
    """Drop the users, and where the data goes with the Tenant the schema; on every server when none is known."""
    servers, data = await _where(run), run.instance.destroys_data
    for one in servers:
        client = await run.services.backends.database(one)
        await client.breaker.long(drop_database, client.admin, run.instance.id, data=data)
        if data:
            await archives.withdraw_key(run.services, one, run.instance.id)
    return done(Reason.ERASED if data else Reason.RETAINED)


async def _where(run: Run) -> list[DatabaseServer]:
    """Where something may have been made; what the spec wishes for says nothing about that.

    Before anything is made on a server its name stands in the escrow and in a Secret. On a server that never let the
    administrator in nothing was made: that one is broken holds up no deletion.
    """
    known = run.tenant.status.database_server or await _begun(run)
    servers = [_server(run, known)] if known is not None else list(run.services.cluster.servers)
    return [one for one in servers if not allocation.never_answered(one)]


async def _begun(run: Run) -> str | None:
    record = run.record or await run.services.escrow.find(run.instance.id)
    if record is not None:
        return record.database_server
    try:
        return secrets.server_from(await secrets.read(run))
    except KubeForbiddenError:
        return None  # the namespace is terminating and our rights with it: all servers are tried


def provision_storage(
    admin: StorageAdmin, account: Credentials, access_key: str | None, *, holds_data: bool
) -> list[Correction]:
    """What had to be written.

    Raises:
        DataGoneError: the bucket was in use and is gone.
    """
    if holds_data and not admin.bucket_exists(account.name):
        raise DataGoneError
    return [*admin.ensure_account(account, access_key), *admin.ensure_bucket(account.name, account.name)]


async def ensure_storage(run: Run) -> Outcome:
    keys = run.known_keys()
    account, key = Credentials(naming.bucket_name(run.instance.id), keys.storage_secret), keys.storage_access_key
    client = await run.services.backends.storage()
    try:
        written = await client.breaker.call(provision_storage, client.admin, account, key, holds_data=run.established)
    except BackendKeyGoneError as error:
        await secrets.replace_access_key(run)
        run.correct("storage", ConditionType.STORAGE_READY, account.secret, [Correction.STORAGE_ACCOUNT])
        raise Pending(Reason.PROVISIONING, "Issued a new access key", retry_after=_AGAIN_SECONDS) from error
    except DataGoneError as error:
        run.lost = True
        raise Blocked(Reason.DATA_LOST, outcome.of_bucket(account.name)) from error
    run.correct("storage", ConditionType.STORAGE_READY, account.secret, written)
    return done(Reason.PROVISIONED, "Bucket and account")


def drop_storage(admin: StorageAdmin, bucket: str, *, data: bool) -> None:
    admin.delete_account(bucket)
    if data:
        admin.delete_bucket(bucket)


async def remove_storage(run: Run) -> Outcome:
    """Drop the account, and where the data goes with the Tenant the bucket with all it holds."""
    data = run.instance.destroys_data
    client = await run.services.backends.storage()
    await client.breaker.long(drop_storage, client.admin, naming.bucket_name(run.instance.id), data=data)
    return done(Reason.ERASED if data else Reason.RETAINED)


async def ensure_cache(run: Run) -> Outcome:
    user = Credentials(naming.cache_user(run.instance.id), run.known_keys().cache_password)
    client = await run.services.backends.cache()
    written = await client.breaker.call(client.admin.ensure_user, user)
    run.correct("cache", ConditionType.CACHE_READY, user.secret, written)
    return done(Reason.PROVISIONED, "Cache user")


def drop_cache(admin: CacheAdmin, user: str) -> None:
    admin.drop_user(user)
    admin.delete_keys(user)


async def remove_cache(run: Run) -> Outcome:
    """Drop the user and its keys, whatever the deletion policy: a cache holds nothing that is not elsewhere."""
    client = await run.services.backends.cache()
    await client.breaker.long(drop_cache, client.admin, naming.cache_user(run.instance.id))
    return done(Reason.ERASED)
