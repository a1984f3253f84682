"""The tenant's schema and its user, on the server it was placed on."""

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import secrets

UNLIMITED = 10_000  # what a Plan may ask for at most; MariaDB's own word for it, 0, is refused as a slip


def _provision(admin: DatabaseAdmin, user: Credentials, database: str, connections: int) -> list[str]:
    """What had to be written."""
    return [*admin.ensure_database(database), *admin.ensure_user(user, database, connections)]


async def ensure(run: Run) -> Outcome:
    address = run.known_address()
    server = _server(run, address.server)
    user = Credentials(naming.database_users(run.instance.id)[0], run.known_keys().database_password)
    connections = run.instance.plan.spec.limits.connections or UNLIMITED
    link = await run.services.backends.database(server)
    run.mended += await link.lane.call(_provision, link.admin, user, naming.database_name(run.instance.id), connections)
    return done(Reason.PROVISIONED, f"Schema on {server.name}")


def _server(run: Run, name: str) -> DatabaseServer:
    server = run.services.cluster.servers.get(name)
    if server is None:
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, f"DatabaseServer {name} does not exist")
    return server


def _drop(admin: DatabaseAdmin, ident: str, *, data: bool) -> None:
    database = naming.database_name(ident)
    admin.drop_users(database)
    if data:
        admin.drop_database(database)


async def remove(run: Run) -> Outcome:
    """Drop the users, and with deletionPolicy Delete the schema; on every server when none is known."""
    ident, known = run.instance.id, await _where(run)
    servers = [_server(run, known)] if known else list(run.services.cluster.servers)
    data = run.tenant.goes_with_its_data
    for server in servers:
        link = await run.services.backends.database(server)
        await link.lane.long(_drop, link.admin, ident, data=data)
    return done(Reason.ERASED if data else Reason.RETAINED)


async def _where(run: Run) -> str | None:
    known = run.tenant.status.database_server or run.tenant.spec.database_server
    return known or secrets.server_from(await secrets.read(run))
