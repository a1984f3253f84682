"""`python -m vivero_data.web`: compile the templates, once, while the image is built."""

import sys

from vivero_data.web.compiled import compile_all
from vivero_data.web.render import environment

sys.stdout.write(f"{compile_all(environment())} templates compiled\n")
