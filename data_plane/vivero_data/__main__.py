"""`python -m vivero_data [serve | migrate | create-owner | audit | job]`: the leanest way into `main.run`."""

import gc
import sys

from vivero_data import cli, lean

# Imports allocate thousands of long-lived objects; garbage collection in
# between costs a tenth of the start time. main.run() enables it again.
gc.disable()
arguments = cli.parse(sys.argv[1:])
listener = cli.listen(arguments)
lean.apply(sys.argv[1:])

from vivero_data.main import run  # noqa: E402  after what comes before it on purpose

sys.exit(run(arguments, listener))
