"""Every limit of a workspace that people may meet: one list for the page, the API and docs/limits.md.

The bounds are the constants that the code enforces, so none of the three can say another figure. A new `MAX_…` of a
domain belongs here, or among the inner bounds that the test of this module names.
"""

from typing import Annotated, Literal

import msgspec
from vivero_web.api_keys import MAX_KEYS

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import MAX_CHOICES, MAX_FIELDS
from vivero_data.domain.collections.service import MAX_COLLECTIONS
from vivero_data.domain.comments.service import MAX_COMMENTS
from vivero_data.domain.dashboards.schemas import MAX_TILES
from vivero_data.domain.dashboards.service import MAX_DASHBOARDS
from vivero_data.domain.favourites.service import MAX_FAVOURITES
from vivero_data.domain.field_types.file import MAX_FILES
from vivero_data.domain.field_types.options import MAX_FORMULA
from vivero_data.domain.imports.schemas import MAX_COLUMNS
from vivero_data.domain.imports.tables import MAX_ROWS
from vivero_data.domain.jobs.service import MAX_UNFINISHED
from vivero_data.domain.limits.service import Limits
from vivero_data.domain.records.files import MAX_ATTACHMENTS
from vivero_data.domain.records.filters import MAX_CONDITIONS
from vivero_data.domain.records.query import MAX_SORTS
from vivero_data.domain.records.schemas import MAX_BATCH
from vivero_data.domain.report_mails.schemas import MAX_RECIPIENTS, MAX_SCHEDULES
from vivero_data.domain.reports.service import MAX_REPORTS
from vivero_data.domain.roles.schemas import MAX_ROLES
from vivero_data.domain.views.schemas import MAX_FOLDED
from vivero_data.domain.views.service import MAX_VIEWS
from vivero_data.domain.webhooks.schemas import MAX_WEBHOOKS
from vivero_data.lib.pages import MAX_LIMIT


class PublishedLimit(msgspec.Struct, frozen=True):
    """One limit."""

    name: Annotated[str, msgspec.Meta(description="What is limited, in words.")]
    limit: Annotated[int | None, msgspec.Meta(description="The most that there can be; null is unlimited.")]
    used: Annotated[int | None, msgspec.Meta(description="What there is; null where that is not one figure.")] = None
    unit: Annotated[Literal["count", "bytes"], msgspec.Meta(description="Of both figures.")] = "count"


class LimitGroup(msgspec.Struct, frozen=True):
    """Limits of one subject."""

    name: Annotated[str, msgspec.Meta(description="The subject.")]
    limits: Annotated[list[PublishedLimit], msgspec.Meta(description="In the order of the page.")]


class Counted(msgspec.Struct, frozen=True):
    """How much there is of what a workspace has one figure for."""

    records: int = 0
    users: int = 0
    storage_bytes: int = 0
    collections: int = 0
    reports: int = 0
    dashboards: int = 0
    schedules: int = 0
    webhooks: int = 0


def published(plan: Limits, upload_bytes: int, used: Counted) -> list[LimitGroup]:
    """All limits under a plan; `upload_bytes` is the largest upload of this installation. Pure."""
    of_plan = [
        PublishedLimit("Records", plan.records, used.records),
        PublishedLimit("Active users", plan.users, used.users),
        PublishedLimit("Storage of files", plan.storage_bytes, used.storage_bytes, "bytes"),
        PublishedLimit("Requests a minute, all users", plan.requests_per_minute),
    ]
    of_records = [
        PublishedLimit("Collections", MAX_COLLECTIONS, used.collections),
        PublishedLimit("Fields of a collection", MAX_FIELDS),
        PublishedLimit("Choices of a field", MAX_CHOICES),
        PublishedLimit("Characters of a name", MAX_NAME),
        PublishedLimit("Characters of a formula", MAX_FORMULA),
        PublishedLimit("Shared views of a collection", MAX_VIEWS),
        PublishedLimit("A person's views of a collection", MAX_VIEWS),
        PublishedLimit("Folded groups of a view", MAX_FOLDED),
        PublishedLimit("Conditions of a filter", MAX_CONDITIONS),
        PublishedLimit("Fields of an order", MAX_SORTS),
        PublishedLimit("Comments on a record", MAX_COMMENTS),
        PublishedLimit("Favourites of a person", MAX_FAVOURITES),
        PublishedLimit("Roles of the workspace's own", MAX_ROLES),
    ]
    of_files = [
        PublishedLimit("Size of an upload", upload_bytes, unit="bytes"),
        PublishedLimit("Files in a field of a record", MAX_FILES),
        PublishedLimit("Attachments of a record", MAX_ATTACHMENTS),
        PublishedLimit("Rows of an import", MAX_ROWS),
        PublishedLimit("Columns of an import", MAX_COLUMNS),
    ]
    of_reports = [
        PublishedLimit("Reports", MAX_REPORTS, used.reports),
        PublishedLimit("Dashboards", MAX_DASHBOARDS, used.dashboards),
        PublishedLimit("Tiles of a dashboard", MAX_TILES),
        PublishedLimit("Reports by e-mail", MAX_SCHEDULES, used.schedules),
        PublishedLimit("Recipients of a report by e-mail", MAX_RECIPIENTS),
    ]
    of_programs = [
        PublishedLimit("Records on a page of a list", MAX_LIMIT),
        PublishedLimit("Records written in a batch", MAX_BATCH),
        PublishedLimit("API keys of a person", MAX_KEYS),
        PublishedLimit("Webhooks", MAX_WEBHOOKS, used.webhooks),
        PublishedLimit("Jobs that wait or run", MAX_UNFINISHED),
    ]
    return [
        LimitGroup("Plan", of_plan),
        LimitGroup("Collections and records", of_records),
        LimitGroup("Files and imports", of_files),
        LimitGroup("Reports and dashboards", of_reports),
        LimitGroup("API and jobs", of_programs),
    ]
