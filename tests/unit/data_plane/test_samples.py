"""The data files of the templates are good, and their days are of whenever they are used."""

from datetime import date

import pytest
from vivero_data.domain.collections import definition
from vivero_data.domain.collections.schemas import Collection, NewCollection
from vivero_data.domain.records.service import columns_for
from vivero_data.domain.reports.definition import check
from vivero_data.domain.reports.schemas import definition_of
from vivero_data.domain.samples.service import TEMPLATES, TemplateNotFoundError, template, values_of
from vivero_web import clock

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_good_definitions_values_and_reports(name: str) -> None:
    made = {}
    for number, one in enumerate(template(name).collections):
        new = definition.check(NewCollection(one.name, one.fields, one.description))
        fields = tuple(definition.as_field(field, index) for index, field in enumerate(new.fields, 100 * number))
        made[one.name] = Collection(number, one.name, one.description, fields, 0, clock.now())
        for row in one.rows:
            columns_for(made[one.name], values_of(one.fields, row, TODAY), new=True)
    for report in template(name).reports:
        check(made[report.collection], definition_of(report))
    assert set(template(name).lists) <= made.keys()


def test_days_are_told_from_today() -> None:
    fields = template("nursery").collections[0].fields[:4]
    row = ["today", "today-1", "today+30", "today is sunny"]
    assert list(values_of(fields, row, TODAY).values()) == ["2026-03-01", "2026-02-28", "2026-03-31", "today is sunny"]


@pytest.mark.parametrize("name", ["", "nothing", "../reports/schemas", "nursery.json"])
def test_there_is_no_other_template(name: str) -> None:
    with pytest.raises(TemplateNotFoundError):
        template(name)
