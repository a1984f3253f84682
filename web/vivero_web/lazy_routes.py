"""An application whose routes are finished by their first request.

Litestar makes for each handler, when it is registered, a type of its arguments and a plan of where they come from.
An idle workspace has hundreds of routes that are not requested; what they take is in ADR 0009.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from litestar import Litestar, Router
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.routes import ASGIRoute, HTTPRoute
from litestar.types import ControllerRouterHandler, Method

_Finished = tuple[HTTPRouteHandler, Any]
"""A handler, and the framework's plan of its arguments."""


class LazyHandlers(Mapping[Method, _Finished]):
    """The handlers of a route by method, each finished when it is asked for."""

    def __init__(self, app: Litestar, route: HTTPRoute, handlers: Mapping[Method, HTTPRouteHandler]) -> None:
        self._app = app
        self._parameters = route.path_parameters
        self._handlers = handlers
        self._finished: dict[Method, _Finished] = {}

    def __getitem__(self, method: Method) -> _Finished:
        if method not in self._finished:
            handler = self._handlers[method]
            handler.on_registration(self._app)
            finished = (handler, handler.create_kwargs_model(self._parameters))
            self._finished.update(dict.fromkeys(handler.http_methods, finished))
        return self._finished[method]

    def __iter__(self) -> Iterator[Method]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)


class LazyApp(Litestar):
    """As Litestar, without websockets; what is wrong with a handler is found by its first request."""

    def register(self, value: ControllerRouterHandler) -> None:  # type: ignore[override]  # as the framework's own
        """As Litestar's, which finishes handlers here.

        Raises:
            ImproperlyConfiguredException: two handlers have the same path and method.
        """
        handlers = {}
        for route in Router.register(self, value):
            if isinstance(route, HTTPRoute):
                handlers[route] = _by_method(route)
                route.route_handler_map = {method: (one, None) for method, one in handlers[route].items()}  # type: ignore[misc]  # until below
            elif isinstance(route, ASGIRoute):
                route.route_handler.on_registration(self)
            for plugin in self.plugins.receive_route:
                plugin.receive_route(route)
        self.asgi_router.construct_routing_trie()
        for route, by_method in handlers.items():
            route.route_handler_map = cast("dict[Method, Any]", LazyHandlers(self, route, by_method))


def _by_method(route: HTTPRoute) -> dict[Method, HTTPRouteHandler]:
    pairs = [(method, handler) for handler in route.route_handlers for method in handler.http_methods]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ImproperlyConfiguredException(f"Two handlers have the path {route.path} and the same method")
    return found
