"""`python -m vivero_data [serve | migrate | create-owner]`: the leanest way into `main.main`."""

import gc
import sys

from vivero_data import lean

# Importing makes thousands of objects that stay: collecting among them in
# between costs a tenth of the start. main.serve() turns the collector on again.
gc.disable()
lean.apply(sys.argv[1:])

from vivero_data.main import main  # noqa: E402  after the two lines above, which are for it

sys.exit(main(sys.argv[1:]))
