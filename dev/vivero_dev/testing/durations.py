"""How long stages and tests took, as JUnit files say, and which took longer than they may."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """In seconds, of a stage or of one test with its fixtures, by the name that pytest takes to run it again."""

    seconds: float
    name: str

    def __str__(self) -> str:
        return f"{self.seconds:8.1f} s  {self.name}"


def durations(junit: Path) -> list[Duration]:
    """Slowest first; empty where a run crashed before it wrote them."""
    if not junit.exists():
        return []
    cases = ET.parse(junit).iter("testcase")  # noqa: S314  pytest wrote it
    return slowest(Duration(float(case.get("time", 0)), _name(case)) for case in cases)


def slowest(found: Iterable[Duration]) -> list[Duration]:
    return sorted(found, reverse=True)


def beyond(found: Iterable[Duration], seconds: float) -> list[Duration]:
    """Those that took longer."""
    return [one for one in found if one.seconds > seconds]


def table(found: Iterable[Duration]) -> str:
    """A line each."""
    return "\n".join(map(str, found))


def _name(case: ET.Element) -> str:
    """JUnit's class is the module, and the class of those few tests that have one."""
    words = case.get("classname", "").split(".")
    module = [word for word in words if not word.startswith("Test")]
    return "::".join([f"{'/'.join(module)}.py", *words[len(module) :], case.get("name", "")])
