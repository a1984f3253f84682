"""The ledger in a file, so that what was bought outlives the program."""

import json
from pathlib import Path
from typing import Final

from vivero_dev.payments.ledger import Ledger

FILE: Final = "ledger.json"


class Storage:
    """One ledger and its file; a file is replaced as a whole or not at all."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._file = folder / FILE

    def load(self) -> None:
        """What was saved last, if anything was."""
        if self._file.exists():
            self._ledger.restore(json.loads(self._file.read_text()))

    def save(self) -> None:
        draft = self._file.with_suffix(".tmp")
        with self._ledger.lock:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(self._ledger.state()))
            draft.replace(self._file)
