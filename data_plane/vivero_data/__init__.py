"""The data plane: one tenant, its records, files and users."""

from typing import Final

__version__: Final = "0.1.0"
