"""Errors of the development tool: one base class, messages for the person at the terminal."""

from pathlib import Path


class DevError(Exception):
    """Base class of all expected errors; the command line prints them and exits with 1."""


class BadNameError(DevError):
    """An instance name that is not usable in paths, interface names and cgroups."""


class AllocationError(DevError):
    """No free port or address range for an instance."""


class ComponentError(DevError):
    """A named part of the platform failed: which, why, and where its log lies."""

    def __init__(self, component: str, reason: str, log: Path | None = None) -> None:
        super().__init__(f"{component}: {reason}")
        self.component = component
        self.reason = reason
        self.log = log
