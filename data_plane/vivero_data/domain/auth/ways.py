"""How requests of the API say whose they are, as its document names the ways."""

from typing import Final

from litestar.openapi.spec import SecurityRequirement, SecurityScheme

from vivero_data.lib.cookies import ACCESS

_BEARER: Final = "bearer"
_SESSION: Final = "session"
EITHER_WAY: Final[list[SecurityRequirement]] = [{_BEARER: []}, {_SESSION: []}]
SCHEMES: Final = {
    _BEARER: SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="JWT",
        description="The access token of a login, good for 15 minutes or until the session ends.",
    ),
    _SESSION: SecurityScheme(
        type="apiKey",
        name=ACCESS,
        security_scheme_in="cookie",
        description="A browser's session, for the workspace's own pages: it changes nothing for a page of another site.",
    ),
}
