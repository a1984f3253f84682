"""The `audit verify` command."""

from vivero_data.clients.storage import Storage
from vivero_data.db.database import Database
from vivero_data.domain.audit.anchors import Anchors
from vivero_data.domain.audit.verification import Verification, verify
from vivero_data.lib.json import encode
from vivero_data.settings import Settings

_DATABASE_TIMEOUT = 20.0  # seconds to connect
_CONNECTIONS = 1


async def verify_log(settings: Settings) -> Verification:
    """Verify the log of the workspace that these settings are of.

    Raises:
        UnavailableError: the database or the bucket does not answer.
    """
    tls = settings.tls()
    database, storage = Database(settings.database, tls, _CONNECTIONS), Storage(settings.storage, tls)
    try:
        await database.open(_DATABASE_TIMEOUT)
        return await verify(database, Anchors(storage, settings.env.tenant_id))
    finally:
        await database.close()
        storage.close()


def report(found: Verification, *, as_json: bool) -> str:
    """What the command prints."""
    if as_json:
        return encode(found)
    lines = [
        f"{found.entries} sealed entries compared, {found.seals} seals followed, {found.anchors} heads in the bucket.",
        f"{found.unsealed} entries are not sealed yet.",
    ]
    if found.erased:
        lines.append(f"{found.erased} entries have a value that was erased.")
    lines += [f"A part was sealed by workspace {one}, of which this is a restored copy." for one in found.copied_from]
    if found.problem is None:
        return "\n".join([*lines, "The audit log is intact."])
    place = f", entry {found.problem.entry}" if found.problem.entry is not None else ""
    return "\n".join([*lines, f"NOT INTACT: {found.problem.kind}{place}. {found.problem.message}"])
