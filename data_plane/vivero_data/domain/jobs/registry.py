"""All kinds of jobs: a new one is a module with its order, and a line here (CONTRIBUTING.md, "A new job")."""

from collections.abc import Mapping
from typing import Final

from vivero_data.domain.jobs.task import Task
from vivero_data.domain.records.export import Export

KINDS: Final[Mapping[str, type[Task]]] = {"export": Export}


def kind_of(task: Task) -> str:
    """The name of an order's kind."""
    return next(name for name, kind in KINDS.items() if isinstance(task, kind))
