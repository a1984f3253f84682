"""The job that mails an owner which limit of the plan is nearly or fully used."""

from datetime import datetime
from typing import Final

from vivero_web.errors import ConflictError
from vivero_web.mail import Mail, MailRefusedError

from vivero_data.clients.mail import Mailer
from vivero_data.domain.identity.service import IdentityService, configured
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.limits.service import Resource, counts

KIND: Final = "limit_mail"


class TellOfLimit(Task, frozen=True):
    """Mails the owner whose job it is; begun by `telling.py` alone. A repeat has the same Message-ID."""

    resource: Resource
    level: int
    at: datetime

    async def run(self, context: TaskContext) -> None:
        from vivero_data.web.limit_mail import letter  # noqa: PLC0415  only this process words mails

        identity = await IdentityService(context.database, configured(context.settings.env)).current()
        mailer = Mailer(context.settings.mail_folder, context.settings.ca_file)
        limit, sends = getattr(context.limits.current, self.resource), mailer.configured and bool(identity.public_url)
        if sends and limit is not None:
            async with context.database.read() as connection:
                used = (await counts(connection))[self.resource]
            await context.require_current()
            subject, text = letter(identity, context.limits.current.plan, self.resource, used, limit)
            key = f"limit:{identity.public_url}:{self.resource}:{self.level}:{self.at.isoformat()}:{context.actor.user_id}"
            try:
                await mailer.send(Mail(key=key, to=context.actor.email, subject=subject, text=text))
            except MailRefusedError as error:
                raise ConflictError(str(error)) from error
        async with context.database.transaction() as tx:
            await context.finish(tx, {"mails": int(sends)})
