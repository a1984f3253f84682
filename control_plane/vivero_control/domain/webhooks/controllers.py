"""/api/v1/webhooks, for admins of the staff."""

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST

from vivero_control.domain.staff.guards import NEEDS_PERSON, StaffRequest, admins_connect
from vivero_control.domain.webhooks.schemas import (
    PAGE_MAX,
    AttemptPage,
    CreatedEndpoint,
    Endpoint,
    EndpointChanges,
    EndpointList,
    NewEndpoint,
    SwitchedOffError,
    TooManyEndpointsError,
)
from vivero_control.domain.webhooks.service import WebhookService

Number = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the webhook.")]
Message = Annotated[str, PathParameter(max_length=64, description="The header webhook-id of a message.")]


class WebhookController(Controller):
    """Programs that are told what happens to tenants; no API key manages them."""

    path = "/webhooks"
    tags = ("Webhooks",)
    guards = (admins_connect,)
    opt = NEEDS_PERSON

    @get(summary="All webhooks")
    async def list_webhooks(self, webhooks: NamedDependency[WebhookService]) -> EndpointList:
        return await webhooks.all()

    @post(summary="Make a webhook")
    @raises(InvalidInputError, TooManyEndpointsError)
    async def make_webhook(
        self, request: StaffRequest, webhooks: NamedDependency[WebhookService], data: JSONBody[NewEndpoint]
    ) -> CreatedEndpoint:
        """Only this answer has the secret of its signatures."""
        return await webhooks.make(data, request.user.email)

    @get("/{webhook:int}", summary="One webhook")
    async def get_webhook(self, webhooks: NamedDependency[WebhookService], webhook: Number) -> Endpoint:
        return await webhooks.get(webhook)

    @patch("/{webhook:int}", summary="Change a webhook, switch it off or on")
    @raises(InvalidInputError)
    async def change_webhook(
        self,
        request: StaffRequest,
        webhooks: NamedDependency[WebhookService],
        webhook: Number,
        data: JSONBody[EndpointChanges],
    ) -> Endpoint:
        """What waits for it goes to the address that it has then."""
        return await webhooks.change(webhook, data, request.user.email)

    @delete("/{webhook:int}", summary="Delete a webhook")
    async def delete_webhook(
        self, request: StaffRequest, webhooks: NamedDependency[WebhookService], webhook: Number
    ) -> None:
        """With its attempts; what waits is not sent."""
        await webhooks.delete(webhook, request.user.email)

    @post("/{webhook:int}/secret", status_code=200, summary="Make another secret")
    async def rotate_webhook_secret(
        self, request: StaffRequest, webhooks: NamedDependency[WebhookService], webhook: Number
    ) -> CreatedEndpoint:
        """For a day messages have two signatures: by this one, and by the secret before."""
        return await webhooks.rotate(webhook, request.user.email)

    @get("/{webhook:int}/attempts", summary="What was sent, the newest first")
    @raises(InvalidInputError)
    async def list_webhook_attempts(
        self,
        webhooks: NamedDependency[WebhookService],
        webhook: Number,
        limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many a page has at most.")] = 50,
        cursor: Annotated[str, QueryParameter(max_length=40, description="The `next_cursor` of the page before.")] = "",
    ) -> AttemptPage:
        """Attempts of the last 30 days."""
        return await webhooks.attempts(webhook, cursor, limit)

    @post("/{webhook:int}/messages/{message:str}/resend", status_code=202, summary="Send a message again")
    @raises(SwitchedOffError)
    async def resend_webhook_message(
        self, request: StaffRequest, webhooks: NamedDependency[WebhookService], webhook: Number, message: Message
    ) -> None:
        """It has the same `webhook-id`, so that a receiver that knows it can leave it out."""
        await webhooks.resend(webhook, message, request.user.email)
