"""Which images an instance runs: written when they are built, since the tree may change under a running `up`."""

import json

from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

FILE = "images.json"


def write_names(instance: Instance, names: dict[str, str]) -> None:
    """Store the full name of each program's image."""
    draft = instance.state_dir / f"{FILE}.tmp"
    draft.write_text(json.dumps(names, indent=2) + "\n")
    draft.replace(instance.state_dir / FILE)


def read_names(instance: Instance) -> dict[str, str]:
    file = instance.state_dir / FILE
    if not file.exists():
        raise ComponentError("images", "are not built yet")
    names: dict[str, str] = json.loads(file.read_text())
    return names
