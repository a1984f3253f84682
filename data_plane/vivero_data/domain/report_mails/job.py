"""The job that mails one period of a schedule, in a process of its own.

Each mail is noted as soon as the mail server has taken it, and an attempt that follows goes on behind it. What was taken
and not noted, because the process died in between, goes once more with the same Message-ID, which mail programs know by.
"""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web.errors import NotAllowedError, NotFoundError, UnavailableError
from vivero_web.mail import Mail, MailRefusedError, MailServerUnavailableError

from vivero_data.clients.mail import Mailer
from vivero_data.domain.identity.service import Identity, IdentityService, configured
from vivero_data.domain.jobs.task import Task, TaskContext, actor_of
from vivero_data.domain.notation.service import notation_of
from vivero_data.domain.report_mails import repository, stopping
from vivero_data.domain.report_mails.contents import Contents
from vivero_data.domain.report_mails.repository import Due, StoredSchedule
from vivero_data.domain.report_mails.schemas import SendingState

KIND: Final = "report_mail"
_NO_MAIL: Final = "This workspace has no mail server or no address."


class Outcome(msgspec.Struct, frozen=True):
    """What came of a mail; `again` if another attempt may help."""

    state: SendingState
    problem: str = ""
    again: bool = False


class SendReport(Task, frozen=True):
    """Mails one period of a schedule; begun by `delivery.py` alone."""

    schedule_id: int
    due_at: datetime

    async def run(self, context: TaskContext) -> None:
        async with context.database.read() as connection:
            schedule = await repository.get(connection, self.schedule_id, 0, everything=True)
            due = await repository.select_due(connection, self.schedule_id, self.due_at)
        identity = await IdentityService(context.database, configured(context.settings.env)).current()
        contents, waits = Contents(context.database, context.limits), 0
        for done, one in enumerate(due):
            if schedule is None:
                break  # deleted since
            await context.require_current()
            outcome = await self._mail(context, contents, identity, schedule, one)
            async with context.database.read() as connection:
                await repository.note(connection, one.id, outcome.state, outcome.problem)
            context.progress(done + 1, len(due))
            waits += outcome.again
        if waits:
            raise UnavailableError(f"{waits} of {len(due)} mails wait for the mail server.")
        async with context.database.transaction() as tx:
            await context.finish(tx, {"mails": len(due)})

    async def _mail(
        self, context: TaskContext, contents: Contents, identity: Identity, schedule: StoredSchedule, due: Due
    ) -> Outcome:
        from vivero_data.web.report_mail import letter  # noqa: PLC0415  only this process words mails

        try:
            async with context.database.read() as connection:
                actor, notation = await actor_of(connection, due.user_id), await notation_of(connection)
            shown = await contents.of(actor, schedule.subject, schedule.subject_id)
        except (NotAllowedError, NotFoundError) as error:
            return Outcome(SendingState.SKIPPED, error.detail)
        mailer = Mailer(context.settings.mail_folder, context.settings.ca_file)
        if not (mailer.configured and identity.public_url):
            return Outcome(SendingState.FAILED, _NO_MAIL)
        token = stopping.token(context.settings.app.signing_key, schedule.id, due.user_id)
        stop = f"{identity.public_url}{stopping.PAGE}/{token}"
        text, html = letter(shown, identity, stop, notation)
        key = f"report:{identity.public_url}:{schedule.id}:{self.due_at.isoformat()}:{due.user_id}"
        mail = Mail(key=key, to=actor.email, subject=shown.name, text=text, html=html, stop=stop)
        try:
            await mailer.send(mail)
        except MailRefusedError as error:
            return Outcome(SendingState.FAILED, str(error))
        except MailServerUnavailableError as error:
            return Outcome(SendingState.FAILED, error.detail, again=True)
        return Outcome(SendingState.SENT)
