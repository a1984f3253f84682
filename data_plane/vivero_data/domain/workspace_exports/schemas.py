"""Exports of the workspace as the API and the pages see them."""

from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import ConflictError, NotFoundError
from vivero_web.fields import LARGEST

KEPT_FOR: Final = timedelta(days=7)
WorkspaceExportId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The export's number.")]


class WorkspaceExport(msgspec.Struct, frozen=True):
    """An export that can be downloaded."""

    id: Annotated[int, msgspec.Meta(description="Where it is: `/api/v1/workspace-exports/{id}/content`.")]
    size: Annotated[int, msgspec.Meta(description="Of the ZIP in bytes; it does not count against the plan.")]
    records: Annotated[int, msgspec.Meta(description="How many records of all collections are in it.")]
    files: Annotated[int, msgspec.Meta(description="How many files are in it.")]
    created_by: Annotated[str, msgspec.Meta(description="E-mail of who asked for it.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was begun.")]
    expires_at: Annotated[datetime, msgspec.Meta(description="When it is removed.")]


class WorkspaceExportNotFoundError(NotFoundError):
    """No export has this number, or it is removed."""

    def __init__(self) -> None:
        super().__init__(f"There is no such export; they are kept for {KEPT_FOR.days} days, and only the newest is.")


class WorkspaceExportRunningError(ConflictError):
    """Another export is under way."""

    def __init__(self) -> None:
        super().__init__("An export of this workspace is under way already.")
