"""The workspace's pages: server-rendered HTML over the same services as the API."""

from vivero_data.web.render import render_error, warm
from vivero_data.web.routes import route_handlers

__all__ = ["render_error", "route_handlers", "warm"]
