"""Errors as pages, for browsers; programs get problem+json from `vivero_web.answers`."""

from typing import Any, Final

from litestar import Request, Response
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER, HTTP_401_UNAUTHORIZED
from vivero_ui.errors import error_page as words_for
from vivero_web.problem import Problem

from vivero_control.web.staff_shell import login_address

# Whose detail is a sentence about this one case; the others' is the protocol's, the page has better words.
_EXACT: Final = frozenset({403, 409, 422, 429, 503})


def error_page(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    if problem.status == HTTP_401_UNAUTHORIZED:
        return Redirect(login_address(request), status_code=HTTP_303_SEE_OTHER)
    detail = problem.detail if problem.status in _EXACT else ""
    page = words_for(problem.status, problem.request_id, detail)
    return Template("vivero/error.html.j2", context={"error": page}, status_code=problem.status)
