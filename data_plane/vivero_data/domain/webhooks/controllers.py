"""`/api/v1/webhooks`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs, needs_person
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.webhooks.schemas import (
    Attempt,
    CreatedWebhook,
    NewWebhook,
    TooManyWebhooksError,
    Webhook,
    WebhookChanges,
    WebhookId,
)
from vivero_data.domain.webhooks.service import WebhookService
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class WebhookController(Controller):
    """For who manages collections."""

    path = "/webhooks"
    tags = ("Webhooks",)
    guards = (needs(Permission.MANAGE_COLLECTIONS),)

    @get()
    async def list_webhooks(
        self,
        actor: NamedDependency[Actor],
        webhooks: NamedDependency[WebhookService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Webhook]:
        """A page of webhooks, newest first."""
        return await webhooks.list(actor, limit, cursor)

    @post(guards=[needs_person])
    @raises(TooManyWebhooksError)
    async def create_webhook(
        self, actor: NamedDependency[Actor], webhooks: NamedDependency[WebhookService], data: JSONBody[NewWebhook]
    ) -> CreatedWebhook:
        """Make a webhook; only this answer has the secret of its signatures."""
        return await webhooks.create(actor, data)

    @get("/{webhook_id:int}")
    async def get_webhook(
        self, actor: NamedDependency[Actor], webhooks: NamedDependency[WebhookService], webhook_id: WebhookId
    ) -> Webhook:
        """One webhook."""
        return await webhooks.get(actor, webhook_id)

    @patch("/{webhook_id:int}", guards=[needs_person])
    async def change_webhook(
        self,
        actor: NamedDependency[Actor],
        webhooks: NamedDependency[WebhookService],
        webhook_id: WebhookId,
        data: JSONBody[WebhookChanges],
    ) -> Webhook:
        """Give it another address or other events; switch it off or on."""
        return await webhooks.change(actor, webhook_id, data)

    @post("/{webhook_id:int}/secret", status_code=HTTP_200_OK, guards=[needs_person])
    async def renew_webhook_secret(
        self, actor: NamedDependency[Actor], webhooks: NamedDependency[WebhookService], webhook_id: WebhookId
    ) -> CreatedWebhook:
        """Make another secret, with which everything is signed from now on."""
        return await webhooks.renew_secret(actor, webhook_id)

    @delete("/{webhook_id:int}", guards=[needs_person])
    async def delete_webhook(
        self, actor: NamedDependency[Actor], webhooks: NamedDependency[WebhookService], webhook_id: WebhookId
    ) -> None:
        """Delete it, with what was not sent yet."""
        await webhooks.delete(actor, webhook_id)

    @get("/{webhook_id:int}/attempts")
    async def list_webhook_attempts(
        self,
        actor: NamedDependency[Actor],
        webhooks: NamedDependency[WebhookService],
        webhook_id: WebhookId,
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Attempt]:
        """A page of what was sent in the last 30 days, newest first."""
        return await webhooks.attempts(actor, webhook_id, limit, cursor)
