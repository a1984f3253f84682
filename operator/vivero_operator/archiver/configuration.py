"""Where the archiver finds what the operator gives it. Pure: the operator loads no client for it."""

from typing import Final

FOLDER: Final = "/run/archiver"
ARCHIVE_KEYS: Final = "/run/archive-keys"
"""A file for each tenant, named by its id: the public half of its file key in hexadecimal digits."""
ERASED: Final = "erased"
"""In place of the key of a tenant whose data was erased."""
LOGIN: Final = "login"
PLATFORM_SCHEMA: Final = "VIVERO_PLATFORM_SCHEMA"
"""Variable with the name of the control plane's schema, where it is on that server and archived."""
STORAGE: Final = "backup"
STORAGE_KEYS: Final = ("endpoint", "region", "bucket", "access_key", "secret_key")
"""Of the Secret with the backup bucket's account."""
ADMIN_PORT: Final = 8081
