"""What a mail shows to one person: only what that person may see at this moment."""

from typing import Final

import msgspec

from vivero_data.db.database import Database
from vivero_data.domain.dashboards.schemas import ListTile, ReportTile
from vivero_data.domain.dashboards.service import DashboardService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.notation.service import NotationService
from vivero_data.domain.report_mails.schemas import Subject
from vivero_data.domain.reports.errors import ReportBrokenError, ReportNotFoundError, ReportTooSlowError
from vivero_data.domain.reports.results import Results
from vivero_data.domain.reports.schemas import Definition, Report, ReportData
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.users.schemas import Actor

_GONE: Final = "It was deleted, or only its owner sees it."


class Figures(msgspec.Struct, frozen=True):
    """A report's figures, or in `problem` why there are none."""

    title: str
    definition: Definition
    data: ReportData | None = None
    problem: str = ""


class Note(msgspec.Struct, frozen=True):
    """Words of a dashboard."""

    text: str


class Listed(msgspec.Struct, frozen=True):
    """A list of a dashboard, which the workspace shows."""

    title: str


Part = Figures | Note | Listed


class Shown(msgspec.Struct, frozen=True):
    """A report or a dashboard; `path` is where the workspace shows it."""

    name: str
    path: str
    parts: tuple[Part, ...]


class _InProcess:
    """Results of this run: people who may see the same records share them, and no others."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self._found.get(key)

    async def put(self, key: str, value: str, _seconds: int) -> None:
        self._found[key] = value


class Contents:
    """Computes what mails show."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        results = Results(database, NotationService(database), _InProcess(), large=0)
        self._reports = ReportService(database, results, limits)
        self._dashboards = DashboardService(database, limits)

    async def of(self, actor: Actor, subject: Subject, subject_id: int) -> Shown:
        """What this person sees of it.

        Raises:
            NotFoundError: nothing: it is gone, or another person's own.
            NotAllowedError: the person's role does not read.
        """
        if subject is Subject.REPORT:
            report = await self._reports.get(actor, subject_id)
            return Shown(report.name, f"/reports/{report.id}", (await self._figures(actor, report),))
        board = await self._dashboards.get(actor, subject_id)
        parts: list[Part] = []
        for tile in board.tiles:
            if isinstance(tile, ReportTile):
                parts.append(await self._of_tile(actor, tile.report))
            else:
                parts.append(Listed(tile.collection) if isinstance(tile, ListTile) else Note(tile.text))
        return Shown(board.name, f"/dashboards/{board.id}", tuple(parts))

    async def _of_tile(self, actor: Actor, report_id: int) -> Figures:
        try:
            report = await self._reports.get(actor, report_id)
        except ReportNotFoundError:
            return Figures("A report", Definition(), problem=_GONE)
        return await self._figures(actor, report)

    async def _figures(self, actor: Actor, report: Report) -> Figures:
        try:
            _, data = await self._reports.data(actor, report.id)
        except (ReportBrokenError, ReportTooSlowError) as error:
            return Figures(report.name, report.definition, problem=error.detail)
        return Figures(report.name, report.definition, data)
