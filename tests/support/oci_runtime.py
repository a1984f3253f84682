"""An OCI runtime for machines that lack a capability: runc, for containers that do not ask for it.

Docker gives a privileged container every capability that the kernel knows, and runc then fails where the machine itself
lacks one. Docker calls this file, with runc's own arguments.
"""

import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

LACKING: Final = "CAP_SYS_RESOURCE"


def main(arguments: Sequence[str]) -> None:
    for file in documents(arguments):
        document = json.loads(file.read_text())
        file.write_text(json.dumps(without_capability(document)))
    os.execvp("runc", ["runc", *arguments])  # noqa: S606, S607  becomes runc, from PATH as Docker finds it


def documents(arguments: Sequence[str]) -> list[Path]:
    """What describes the process that runc is told to start: a bundle's, or that of an exec."""
    options = dict(pairwise(arguments))
    if "create" in arguments and "--bundle" in options:
        return [Path(options["--bundle"], "config.json")]
    if "exec" in arguments and "--process" in options:
        return [Path(options["--process"])]
    return []


def without_capability(document: dict[str, Any]) -> dict[str, Any]:
    """The specification of a container, or of a process in one."""
    process = document.get("process", document)
    held = process.get("capabilities", {})
    process["capabilities"] = {name: [one for one in held[name] if one != LACKING] for name in held}
    return document


if __name__ == "__main__":
    main(sys.argv[1:])
