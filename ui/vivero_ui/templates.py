"""Jinja for both planes: one environment, strict and escaping, with the kit's components on its path."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from vivero_ui.alone import alone_style, data_uri, waiting_page_script
from vivero_ui.assets import asset, icon
from vivero_ui.filters import filters

_KIT = Path(__file__).parent / "templates"


def environment(directories: Sequence[Path], variables: Mapping[str, object] | None = None) -> Environment:
    """The environment with a program's own template folders first, then the kit's; `variables` are seen by every page."""
    made = Environment(
        loader=FileSystemLoader([*directories, _KIT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(filters())
    made.globals.update(
        {
            "asset": asset,
            "icon": icon,
            "alone_style": alone_style,
            "data_uri": data_uri,
            "waiting_page_script": waiting_page_script,
        }
    )
    made.globals.update(variables or {})
    return made


def template_config(
    directories: Sequence[Path], variables: Mapping[str, object] | None = None
) -> TemplateConfig[JinjaTemplateEngine]:
    """What `Litestar(template_config=…)` takes."""
    engine = JinjaTemplateEngine.from_environment(environment(directories, variables))
    return TemplateConfig(instance=engine)


def render(made: Environment, name: str, **context: Any) -> str:  # noqa: ANN401  a template takes anything
    """Render outside a request: fragments for server-sent events, tests, the gallery."""
    return made.get_template(name).render(**context)
