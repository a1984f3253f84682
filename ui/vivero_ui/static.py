"""The built files under /static: what has a hash of its content in its name is kept, the rest is asked for again."""

import re
from pathlib import Path
from typing import Any, Final

from litestar import Router
from litestar.connection import ASGIConnection
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.response.file import ASGIFileResponse
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp

from vivero_ui.assets import DIST, STATIC_PATH

_HASHED: Final = re.compile(r"-[0-9A-Z]{8}\.\w+")  # as ui/build.mjs names them
_NAME: Final = re.compile(r"/?\w[\w.-]{0,99}", re.ASCII)  # of all that the build makes for browsers
_SVG: Final = "image/svg+xml"
_KEPT: Final = CacheControlHeader(max_age=30 * 24 * 3600, public=True, immutable=True)
_ASKED_AGAIN: Final = CacheControlHeader(no_cache=True)


def static_router() -> Router:
    return create_static_files_router(
        path=STATIC_PATH,
        directories=[DIST],
        guards=[_only_what_may_be_one],
        after_request=_say_how_long,
        include_in_schema=False,
        name="static",
    )


async def _only_what_may_be_one(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar guard: a name that a file system refuses, for its length or its signs, is no fault of ours."""
    if not _NAME.fullmatch(str(connection.path_params["file_path"])):
        raise NotFoundException


async def _say_how_long(answer: ASGIApp) -> ASGIApp:
    """Litestar's after_request hook: names with a hash change with their content, other names stay; XML says its charset."""
    if isinstance(answer, ASGIFileResponse):
        hashed = _HASHED.search(Path(str(answer.file_path)).name)
        answer.headers["cache-control"] = (_KEPT if hashed else _ASKED_AGAIN).to_header()
        if answer.headers["content-type"] == _SVG:
            answer.headers["content-type"] = f"{_SVG}; charset=utf-8"
    return answer
