"""The signup page, and the progress page that ends inside the new workspace."""

import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Response, ServerSentEvent, ServerSentEventMessage, Template
from litestar.status_codes import HTTP_201_CREATED, HTTP_303_SEE_OTHER
from msgspec import UNSET, Struct, json
from msgspec.structs import asdict
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, WebError
from vivero_web.rate_limit import SIGNUPS, Counted
from vivero_web.request_context import caller_of
from vivero_web.security import host_cookie, page_policy

from vivero_control.domain.plans.service import PlanService
from vivero_control.domain.signups.access import LOGIN_FOR
from vivero_control.domain.signups.leads import Lead, cleaned
from vivero_control.domain.signups.schemas import SignupView, StartSignup
from vivero_control.domain.signups.service import SignupService
from vivero_control.domain.signups.work import Challenge, Work, WorkRequiredError
from vivero_control.settings import Settings
from vivero_control.web import presentation
from vivero_control.web.site import known, workspace_domain

SCRIPTED: Final = "x-scripted-form"
"""Sent by our script, which keeps the typed password in the page when fields are wrong: it wants the next address
in a header instead of a redirect, because a redirect into the workspace would use up the one-time login."""
BEARER: Final = "__Host-signup"
"""The cookie of whoever signed up last in this browser: the progress page lets nobody else in."""
_FIELDS: Final = ("company", "email", "password", "slug")


class SignupForm(Struct, kw_only=True):
    """The form's fields as typed."""

    company: str = ""
    email: str = ""
    password: str = ""
    slug: str = ""
    key: str = ""
    proof: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    referrer: str = ""

    def lead(self, settings: Settings) -> Lead:
        """Where it was filled in from."""
        return cleaned(asdict(self), own_host=settings.domain)

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return f"SignupForm(company={self.company!r}, slug={self.slug!r})"


def _by_field(error: WebError | None) -> Mapping[str, str]:
    """Sentences by field; every field of the form has a key."""
    found = error.by_field if error else {}
    return {name: found.get(name, "") for name in _FIELDS}


def _elsewhere(error: WebError, wrong: Mapping[str, str]) -> str:
    """What is wrong and has no field in the form."""
    said = " ".join(one.message for one in error.errors if one.field not in _FIELDS)
    return said or ("" if wrong else error.detail)


def _form_page(
    form: SignupForm,
    plans: PlanService,
    settings: Settings,
    error: WebError | None,
    challenge: Challenge | None = None,
) -> Template:
    errors = _by_field(error)
    wrong = {name: sentence for name, sentence in errors.items() if sentence}
    problem = _elsewhere(error, wrong) if error else ""
    context: dict[str, Any] = {
        "form": form,
        "errors": errors,
        "first_wrong": next(iter(wrong), ""),
        "problem": problem,
        "domain": workspace_domain(settings),
        "lead": form.lead(settings).said,
        "challenge": json.encode(challenge).decode() if challenge else "",
        "trial_days": presentation.trial_days(known(plans.offered)),
        # A new one each time: a corrected form is another request.
        "key": secrets.token_hex(16),
    }
    status = error.status if error else 200
    return Template("pages/signup.html.j2", context=context, status_code=status)


def _bearer_cookie(view: SignupView) -> Cookie:
    bearer = "" if view.bearer is UNSET else view.bearer
    return host_cookie(BEARER, bearer, int(LOGIN_FOR.total_seconds()), strict=True)


def _shown(view: SignupView) -> dict[str, Any]:
    """What the steps' template needs."""
    return {
        "signup": view,
        "heading": presentation.progress_heading(view),
        "closed": presentation.is_closed(view),
        "items": presentation.progress(view),
        "ticket_form": presentation.ticket_form(view),
    }


class SignupController(Controller):
    """From the form to the workspace."""

    path = "/signup"
    include_in_schema = False

    @get("/", name="signup", sync_to_thread=False)
    def form(
        self,
        request: Request[Any, Any, Any],
        plans: NamedDependency[PlanService],
        settings: NamedDependency[Settings],
    ) -> Template:
        said, referrer = dict(request.query_params), request.headers.get("referer", "")
        lead = cleaned(said, own_host=settings.domain, referrer=referrer)
        return _form_page(SignupForm(**lead.said), plans, settings, None)

    @post("/", status_code=HTTP_303_SEE_OTHER, guards=[Counted(SIGNUPS)])
    async def start(
        self,
        request: Request[Any, Any, Any],
        signups: NamedDependency[SignupService],
        plans: NamedDependency[PlanService],
        settings: NamedDependency[Settings],
        work: NamedDependency[Work],
    ) -> Response[Any] | Template:
        form = await read_form_as(request, SignupForm)
        try:
            await work.require(form.proof, caller_of(request.scope))
        except WorkRequiredError as error:
            return _form_page(form, plans, settings, error, work.challenge())
        wanted = StartSignup(
            company=form.company,
            email=form.email,
            password=form.password,
            slug=form.slug.strip().lower() or None,
            lead=form.lead(settings),
        )
        try:
            view = await signups.start(wanted, idempotency_key=form.key or None)
        except (InvalidInputError, ConflictError) as error:
            return _form_page(form, plans, settings, error)
        address = f"/signup/{view.id}"
        cookies = [_bearer_cookie(view)]
        if SCRIPTED in request.headers:
            return Response(None, status_code=HTTP_201_CREATED, headers={"location": address}, cookies=cookies)
        return Redirect(address, status_code=HTTP_303_SEE_OTHER, cookies=cookies)

    @get("/{signup_id:str}", name="progress")
    async def progress(
        self, request: Request[Any, Any, Any], signup_id: FromPath[str], signups: NamedDependency[SignupService]
    ) -> Template:
        view = await signups.get(signup_id, request.cookies.get(BEARER))
        context = {**_shown(view), "events_href": f"/signup/{view.id}/events"}
        # The way in is a form, so that it needs no script and its ticket stands in no address.
        headers = {"content-security-policy": page_policy(forms_to=presentation.origin(view.tenant.url))}
        return Template("pages/progress.html.j2", context=context, headers=headers)

    @get("/{signup_id:str}/events")
    async def events(
        self,
        request: Request[Any, Any, Any],
        signup_id: FromPath[str],
        signups: NamedDependency[SignupService],
    ) -> ServerSentEvent:
        views = await signups.follow(signup_id, request.cookies.get(BEARER))
        template = request.app.template_engine.get_template("pages/_progress.html.j2")  # type: ignore[union-attr]

        async def messages() -> AsyncIterator[ServerSentEventMessage]:
            async for view in views:
                if view is None:
                    yield ServerSentEventMessage(comment="waiting")
                    continue
                html = template.render(**_shown(view))
                yield ServerSentEventMessage(event="steps", data=html)
                if view.state == "ready":
                    yield ServerSentEventMessage(event="done", data=view.tenant.url)
                elif view.state == "failed":
                    yield ServerSentEventMessage(event="failed", data="")

        return ServerSentEvent(messages(), headers={"Cache-Control": "no-store", "x-accel-buffering": "no"})
