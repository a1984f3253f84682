"""Calendars: a record is put on another day; the calendar itself is a way to show a table (`records.py`)."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from vivero_web.bodies import read_form
from vivero_web.errors import NotFoundError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.errors import FieldConflictError
from vivero_data.domain.records.schemas import RecordChanges
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.views.service import ViewService
from vivero_data.web.calendars import day_said, fields_of, moved
from vivero_data.web.list_state import shown_in
from vivero_data.web.page import Visit, done, require
from vivero_data.web.toolbar import load


@post("/collections/{name:str}/day")
async def move_to_day(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
) -> Redirect:
    """Put a record on another day, unless its dates changed since they were shown."""
    require(visit, Permission.WRITE_RECORDS, "change records")
    form = await read_form(request)
    shown = shown_in(collection, form.get("shown", ""))
    state, _ = await load(visit.actor, collection, views, shown.items, request.cookies)
    fields = fields_of(collection, state)
    number = whole_number(form.get("record", ""))
    if fields is None or not number:
        raise NotFoundError("There is no calendar with this record.")
    day = day_said(form.get("day", ""))
    record = await records.get(visit.actor, collection.name, number)
    values = moved(record, fields, day, visit.notation.zone)
    changes = RecordChanges(values=values, version=whole_number(form.get("version", "")))
    try:
        await records.update(visit.actor, collection.name, number, changes)
    except FieldConflictError:
        return done(str(shown), "day-conflict")
    return done(str(shown), "record-saved")
