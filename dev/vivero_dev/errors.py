"""Errors of the development tool: one root, each with a sentence for the person at the terminal."""

from pathlib import Path


class DevError(Exception):
    """Root of everything this package raises on purpose; the command line prints it and exits with 1."""


class BadNameError(DevError):
    """An instance name that could not become part of paths, interfaces and cgroups."""


class AllocationError(DevError):
    """No free port or address range was left for an instance."""


class ComponentError(DevError):
    """A named part of the platform failed: which, why, and where its log lies."""

    def __init__(self, component: str, reason: str, log: Path | None = None) -> None:
        super().__init__(f"{component}: {reason}")
        self.component = component
        self.reason = reason
        self.log = log
