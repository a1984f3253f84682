"""What the web layer gives the application: its routes, and the pages for errors and for workspaces' hosts.

`vivero_control.web` exports one of these; app.py mounts it. With the
defaults everything is answered as problem+json.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.template import TemplateConfig
from litestar.types import ControllerRouterHandler
from vivero_web.answers import ErrorPage

from vivero_control.domain.tenants.schemas import HostStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The web layer."""

    route_handlers: Sequence[ControllerRouterHandler] = ()
    error_page: ErrorPage | None = None
    """Says a problem in words; for a 401 it may redirect to the login."""
    host_page: Callable[[HostStatus, bool], Response[Any]] | None = None
    """A browser's request for a workspace that does not answer itself: 503 suspended or down, 404 unknown. The second
    argument: whether the request wanted to change something, as a form does."""
    host_error: ErrorPage | None = None
    """As `error_page`, at such a host."""
    template_config: TemplateConfig[Any] | None = None
