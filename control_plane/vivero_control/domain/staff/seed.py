"""The first administrator, from the settings, when the schema is migrated."""

from vivero_web.clock import Clock
from vivero_web.passwords import Passwords

from vivero_control.db.database import Database
from vivero_control.db.tables import StaffMember
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.settings import Settings


async def seed_admin(settings: Settings, clock: Clock) -> None:
    """Make the account, unless the address has one: a password changed later is not undone."""
    passwords, database = Passwords(), Database(settings)
    email = settings.app.admin_email.strip().lower()
    try:
        password_hash = await passwords.hash(settings.app.admin_password.get_secret_value())
        async with database.transaction() as session:
            staff = StaffRepository(session)
            if await staff.by_email(email) is None:
                member = StaffMember(email=email, password_hash=password_hash, role="admin", created_at=clock())
                await staff.put(member)
    finally:
        passwords.close()
        await database.close()
