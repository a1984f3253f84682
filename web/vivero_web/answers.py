"""Answers from outside a route: errors as problem or page, and whole responses from ASGI layers."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.types import Receive, Scope, Send

from vivero_web.problem import Problem, describe, problem_response, wants_page

ErrorPage = Callable[[Request[Any, Any, Any], Problem], Response[Any]]


class Answers:
    """Knows whether a page or a problem is wanted."""

    def __init__(self, error_page: ErrorPage | None) -> None:
        self._error_page = error_page

    def to(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Litestar's exception handler for everything."""
        if self._error_page is None or not wants_page(request):
            return problem_response(error)
        problem, headers = describe(error)
        page = self._error_page(request, problem)
        page.headers.update({"cache-control": "no-store", **headers})
        return page

    async def error(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await self.send(self.to(request, error), scope, receive, send)

    async def send(self, response: Response[Any], scope: Scope, receive: Receive, send: Send) -> None:
        """A response made outside Litestar's routing."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)
