"""/api/v1/figures, for staff."""

import datetime as dt
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.figures.schemas import FigureRows, FiguresView, Tile
from vivero_control.domain.figures.service import FigureService


class FigureController(Controller):
    """How the business goes."""

    path = "/figures"
    tags = ("Figures",)

    @get(summary="Funnel, revenue, churn and conversion")
    async def get_figures(self, figures: NamedDependency[FigureService]) -> FiguresView:
        return await figures.view()

    @get("/{tile:str}", summary="The rows behind a figure")
    @raises(InvalidInputError)
    async def list_figure_rows(
        self,
        figures: NamedDependency[FigureService],
        tile: Annotated[Tile, PathParameter(description="Which figure.")],
        week: Annotated[
            str, QueryParameter(max_length=10, description="A Monday: signups of that week alone; empty: of all.")
        ] = "",
    ) -> FigureRows:
        return await figures.rows(tile, said("week", week, dt.date, "a day such as 2026-11-23"))
