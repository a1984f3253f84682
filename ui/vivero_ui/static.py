"""The built files under /static, cached for 30 days: their names change with their content."""

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from vivero_ui.assets import DIST, STATIC_PATH

THIRTY_DAYS = 30 * 24 * 3600


def static_router() -> Router:
    return create_static_files_router(
        path=STATIC_PATH,
        directories=[DIST],
        cache_control=CacheControlHeader(max_age=THIRTY_DAYS, public=True, immutable=True),
        include_in_schema=False,
        name="static",
    )
