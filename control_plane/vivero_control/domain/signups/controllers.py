"""Signups over the API."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import SecurityRequirement
from litestar.params import HeaderParameter, JSONBody, PathParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from vivero_web.declared import raises
from vivero_web.errors import LinkSpentError, TooManyRequestsError
from vivero_web.rate_limit import SECRETS, SIGNUPS, Counted
from vivero_web.request_context import caller_of

from vivero_control.domain.signups.confirmations import Confirmations
from vivero_control.domain.signups.policies import SlugTakenError, TriedBeforeError
from vivero_control.domain.signups.schemas import (
    AskForLink,
    ConfirmAddress,
    ConfirmedView,
    LeadView,
    SignupView,
    StartSignup,
    without_proof,
)
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.signups.work import Challenge, Work, WorkRequiredError
from vivero_control.domain.tenants.controllers import Name
from vivero_control.domain.tenants.service import TenantService
from vivero_control.lib.idempotency import Key, KeyBusyError

SignupId = Annotated[str, PathParameter(description="As the signup was answered with.", max_length=64)]
# Told as a way to say who asks, as the standard has it, and not as a parameter.
Bearer = Annotated[str | None, HeaderParameter(name="Authorization", include_in_schema=False)]
BEARER: Final = "signup"
_WITH_OR_WITHOUT: Final[list[SecurityRequirement]] = [{}, {BEARER: []}]
HEARTBEAT: Final = ServerSentEventMessage(data=None, comment="still here")


class SignupController(Controller):
    """From a form to a running workspace."""

    path = "/signups"
    tags = ("Signups",)

    @post(
        status_code=202,
        summary="Start a signup",
        description="Claims a finished workspace when there is a spare one, else makes one, which takes seconds. "
        "Follow its progress by `id`; `bearer` is what gets the login, so keep it out of addresses.",
        guards=[Counted(SIGNUPS)],
        response_headers=[
            ResponseHeader(name="Location", description="Where the progress is.", documentation_only=True)
        ],
    )
    @raises(SlugTakenError, KeyBusyError, WorkRequiredError)
    async def start_signup(
        self,
        request: Request[Any, Any, Any],
        signups: NamedDependency[SignupService],
        work: NamedDependency[Work],
        data: JSONBody[StartSignup],
        idempotency_key: Key = None,
    ) -> Response[SignupView]:
        await work.require(data.proof, caller_of(request.scope))
        view = await signups.start(without_proof(data), idempotency_key=idempotency_key)
        return Response(view, headers={"Location": f"/api/v1/signups/{view.id}"})

    @get(
        "/challenge",
        summary="A challenge for a proof of work",
        description="For a network that signs up often and was answered with 428: find the number, as altcha's widgets do.",
        sync_to_thread=False,
    )
    def get_challenge(self, work: NamedDependency[Work]) -> Response[Challenge]:
        return Response(work.challenge(), headers={"Cache-Control": "no-store"})

    @get("/{signup_id:str}", summary="How far a signup is", security=_WITH_OR_WITHOUT)
    async def get_signup(
        self, signups: NamedDependency[SignupService], signup_id: SignupId, authorization: Bearer = None
    ) -> SignupView:
        return await signups.get(signup_id, _bearer(authorization))

    @get(
        "/{signup_id:str}/events",
        summary="Follow a signup",
        description="Server-sent events: `step` with the signup as JSON at once and after every change of a step; "
        "`done`, the last one, when it is ready or has failed.",
        media_type="text/event-stream",
        security=_WITH_OR_WITHOUT,
    )
    async def follow_signup(
        self, signups: NamedDependency[SignupService], signup_id: SignupId, authorization: Bearer = None
    ) -> ServerSentEvent:
        views = await signups.follow(signup_id, _bearer(authorization))
        return ServerSentEvent(_messages(views), headers={"Cache-Control": "no-store"})


class ConfirmationController(Controller):
    """For owners whose address is not confirmed yet."""

    path = "/signups"
    tags = ("Signups",)

    @post(
        "/confirmations",
        status_code=HTTP_200_OK,
        summary="Confirm the address of a signup",
        description="With the secret of the link that was mailed to its owner. It works once.",
        guards=[Counted(SECRETS)],
    )
    @raises(LinkSpentError, TriedBeforeError)
    async def confirm_address(
        self, confirmations: NamedDependency[Confirmations], data: JSONBody[ConfirmAddress]
    ) -> ConfirmedView:
        return await confirmations.confirm(data.code)

    @post(
        "/join-requests",
        status_code=HTTP_202_ACCEPTED,
        summary="Ask to join the company's workspace",
        description="With the `join_code` of a confirmation. The owner of that workspace gets a mail, once, and may invite.",
        guards=[Counted(SECRETS)],
    )
    @raises(LinkSpentError)
    async def ask_to_join(self, confirmations: NamedDependency[Confirmations], data: JSONBody[ConfirmAddress]) -> None:
        await confirmations.ask_to_join(data.code)

    @post(
        "/confirmation-links",
        status_code=HTTP_202_ACCEPTED,
        summary="Mail another link that confirms an address",
        description="To the owner of a workspace who has not confirmed the address; the answer is always the same.",
    )
    @raises(TooManyRequestsError)
    async def ask_for_link(
        self, request: Request[Any, Any, Any], confirmations: NamedDependency[Confirmations], data: JSONBody[AskForLink]
    ) -> None:
        await confirmations.ask(data.slug, caller_of(request.scope))


class TenantLeadController(Controller):
    """Where a tenant's owner came from, for staff."""

    path = "/tenants/{name:str}/lead"
    tags = ("Tenants",)

    @get(summary="The signup of a tenant, and where its owner came from")
    async def get_tenant_lead(
        self, tenants: NamedDependency[TenantService], signups: NamedDependency[SignupService], name: Name
    ) -> LeadView:
        return await signups.lead_of((await tenants.get(name)).tenant.slug)


def _bearer(authorization: str | None) -> str | None:
    """Of whatever the header says; any other scheme is no bearer of a signup."""
    scheme, _, bearer = (authorization or "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else None


async def _messages(views: AsyncIterator[SignupView | None]) -> AsyncIterator[ServerSentEventMessage]:
    number = 0
    async for view in views:
        if view is None:
            yield HEARTBEAT
            continue
        number += 1
        # The stream always begins with the whole present state, so a Last-Event-ID needs no memory of ours.
        yield ServerSentEventMessage(
            data=msgspec.json.encode(view), event="done" if view.finished else "step", id=number
        )
