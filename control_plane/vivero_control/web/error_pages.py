"""Errors as pages for browsers, and the pages at a workspace's host while the workspace does not answer itself.

Programs get problem+json from `vivero_web.problem`. Pages at a workspace's host load no file: that host has none.
"""

from typing import Any, Final

from litestar import Request, Response
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER, HTTP_401_UNAUTHORIZED
from msgspec import Struct
from msgspec.structs import replace
from vivero_core.model.constants import SuspensionReason
from vivero_ui.alone import policy
from vivero_ui.errors import error_page as words_for
from vivero_web.problem import Problem
from vivero_web.second_factors import SecondFactorRequiredError

from vivero_control.domain.tenants.hosts import STARTING_SECONDS
from vivero_control.domain.tenants.schemas import HostState, HostStatus
from vivero_control.web.site import ACCOUNT
from vivero_control.web.staff_shell import SECURITY, login_address

# Whose detail is a sentence about this one case; the others' is the protocol's, the page has better words.
_EXACT: Final = frozenset({403, 409, 422, 429, 503})


def error_page(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    if problem.status == HTTP_401_UNAUTHORIZED:
        owners = request.url.path.startswith(f"{ACCOUNT}/")
        return Redirect(ACCOUNT if owners else login_address(request), status_code=HTTP_303_SEE_OTHER)
    if problem.type.rpartition(":")[2] == SecondFactorRequiredError.slug:
        return Redirect(SECURITY, status_code=HTTP_303_SEE_OTHER)
    detail = problem.detail if problem.status in _EXACT else ""
    page = words_for(problem.status, problem.request_id, detail)
    return Template("vivero/error.html.j2", context={"error": page}, status_code=problem.status)


class HostText(Struct, frozen=True, kw_only=True):
    """The page at a workspace's host while the workspace does not answer itself."""

    status: int
    title: str
    what: str
    todo: str
    icon: str
    retry: int = 0
    """After so many seconds it is worth asking again; 0 where waiting changes nothing."""
    way_on: str = ""
    """Where the owner pays."""
    refresh: bool = False
    """Whether the page does so by itself."""


_SUSPENDED: Final = {
    SuspensionReason.TRIAL_ENDED: (
        "The trial of this workspace has ended",
        "If it is yours, choose a plan and it goes on where it stopped.",
    ),
    SuspensionReason.UNPAID: (
        "This workspace is suspended: unpaid",
        "It opens again as soon as the open invoice is paid.",
    ),
    SuspensionReason.SUBSCRIPTION_PAUSED: (
        "The subscription of this workspace is paused",
        "It opens again when the pause is over, or earlier if its owner ends the pause.",
    ),
    SuspensionReason.ABUSE: (
        "This workspace is suspended: terms of use",
        "Its owner has been told why and how to answer.",
    ),
    SuspensionReason.MANUAL: (
        "This workspace is suspended",
        "Its owner can ask the people who run Vivero for the details.",
    ),
}


_PASSING: Final = {
    HostState.STARTING: ("This workspace is being prepared", "It is starting right now, which takes seconds."),
    HostState.AWAY: (
        "This workspace does not answer right now",
        "It is being started again, which mostly takes seconds.",
    ),
    HostState.UNSURE: (
        "Not available right now",
        "We have just started and do not know yet which workspace this is.",
    ),
}
"""What is over in a moment, without anybody doing anything."""


def host_text(host: HostStatus) -> HostText:
    if host.state in _PASSING:
        title, what = _PASSING[host.state]
        return HostText(
            status=503,
            title=title,
            what=what,
            todo="This page looks again by itself.",
            icon="loader-circle",
            retry=STARTING_SECONDS,
            refresh=True,
        )
    if host.state is HostState.SUSPENDED:
        title, todo = _SUSPENDED[host.reason or SuspensionReason.MANUAL]
        what = "It is paused and cannot be used at the moment. Its data is kept."
        return HostText(status=503, title=title, what=what, todo=todo, icon="circle-pause", way_on=host.account_url)
    return HostText(
        status=404,
        title="There is no workspace here",
        what="No workspace has this address.",
        todo="Check the spelling of the part before the first dot, or ask whoever gave you the address.",
        icon="search",
    )


def of_a_form(said: HostText) -> HostText:
    """For a form: a reload would not send it again, and its address may show no page."""
    if not said.retry:
        return said
    todo = "What you sent did not arrive. Go back and send it again in a moment."
    return replace(said, todo=todo, refresh=False)


def host_page(host: HostStatus, sent: bool) -> Response[Any]:  # noqa: FBT001  one of two, told by position
    """Suspended, starting, down, or not there; `sent`: instead of what a form was to do."""
    said = host_text(host)
    said = of_a_form(said) if sent else said
    return _page(said, host.host, name=host.display_name, message=host.message)


def host_error(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """What keeps us from saying even that."""
    said = words_for(problem.status, problem.request_id, problem.detail)
    shown = HostText(status=problem.status, title=said.title, what=said.detail, todo=said.advice, icon="triangle-alert")
    return _page(shown, request.url.hostname or "")


def _page(said: HostText, host: str, name: str = "", message: str = "") -> Response[Any]:
    retry = {"retry-after": str(said.retry)} if said.retry else {}
    headers = {"content-security-policy": policy(looks_again=said.refresh), **retry}
    context = {"words": said, "host": host if host.isprintable() else "", "name": name, "message": message}
    return Template("pages/host.html.j2", context=context, status_code=said.status, headers=headers)
