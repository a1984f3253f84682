"""A processor that is kept busy: what passes beside it does not depend on how fast the machine is."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# It ends with whoever started it, however that ends.
_BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


@contextmanager
def busy_processor() -> Iterator[None]:
    """Keep one of the machine's processors busy for the time of the block."""
    with subprocess.Popen([sys.executable, "-c", _BUSY]) as busy:  # noqa: S603  our own words
        try:
            yield
        finally:
            busy.kill()
