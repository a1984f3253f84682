"""What is read through a link: a value of the record that it leads to, or a figure of the records that lead here."""

from vivero_data.domain.field_types.kind import Definition, FieldKind, InvalidValueError, Value
from vivero_data.domain.field_types.options import Figure


class _Through(FieldKind):
    """Computed whenever a record is read, so that it is never stale; its column stays empty."""

    sql = "BOOLEAN"
    operators = ()
    sortable = False
    unique = False
    computed = True
    virtual = True

    def parse(self, value: Value, definition: Definition) -> Value:
        raise InvalidValueError("must not be written: it is read through a link")


class Lookup(_Through):
    """A field of the record that a link of this record leads to."""

    label = "Lookup"
    takes = frozenset({"link", "field"})

    def problems(self, definition: Definition) -> dict[str, str]:
        said = definition.options
        missing = {"link": said.link, "field": said.field}
        return {name: "must be the number of a field" for name, number in missing.items() if not number}


class Rollup(_Through):
    """How many records lead to this one, or the sum, average, smallest or largest of a field of theirs."""

    label = "Rollup"
    figures = True
    takes = frozenset({"link", "field", "figure"})

    def problems(self, definition: Definition) -> dict[str, str]:
        said = definition.options
        found = {} if said.link else {"link": "must be the number of a link that leads to this collection"}
        if (said.figure is Figure.COUNT) == bool(said.field):
            counted = said.figure is Figure.COUNT
            found["field"] = "is not for a count" if counted else "must be the number of a field"
        return found
