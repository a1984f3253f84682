"""Where a program's OpenAPI document is served; made when somebody first asks for it (`documents.py`).

Data only: the viewers that come with Litestar load their scripts from other people's servers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag


class Document(OpenAPIRenderPlugin):
    """The completed document in one of the framework's forms, rendered once."""

    def __init__(self, form: OpenAPIRenderPlugin) -> None:
        super().__init__(path=form.paths, media_type=form.media_type)
        self._form = form
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            from vivero_web.openapi_document import completed  # noqa: PLC0415  see the module's first line

            self._rendered = self._form.render(request, completed(request.app, openapi_schema))
        return self._rendered

    def served(self, request: Request[Any, Any, Any]) -> bytes:
        """What its address answers, for pages that show it."""
        return self._rendered or self.render(request, request.app.openapi_schema.to_schema())


def document_of(request: Request[Any, Any, Any]) -> Any:  # noqa: ANN401  any JSON
    """The completed document of the program that answers; decoded at each call, so that only its text is kept."""
    config = request.app.openapi_config
    documents = [one for one in (config.render_plugins if config else ()) if isinstance(one, Document)]
    return msgspec.json.decode(documents[0].served(request))


def json_document() -> Document:
    """At /schema and /schema/openapi.json."""
    return Document(JsonRenderPlugin(path=["/", "/openapi.json"]))


def yaml_document() -> Document:
    """At /schema/openapi.yaml."""
    return Document(YamlRenderPlugin())


def openapi_config(  # noqa: PLR0913  what a document says of the whole program
    *,
    title: str,
    version: str,
    description: str,
    schemes: Mapping[str, SecurityScheme],
    tags: Mapping[str, str],
    documents: Sequence[OpenAPIRenderPlugin],
) -> OpenAPIConfig:
    """`tags` are names with a sentence each; operations are named by their functions, which are unique."""
    return OpenAPIConfig(
        title=title,
        version=version,
        description=description,
        path="/schema",
        render_plugins=documents,
        components=Components(security_schemes=dict(schemes)),
        tags=[Tag(name=name, description=text) for name, text in tags.items()],
        operation_id_creator=_function_name,
        use_handler_docstrings=True,
    )


def _function_name(handler: HTTPRouteHandler, *_: object) -> str:
    return handler.handler_name
