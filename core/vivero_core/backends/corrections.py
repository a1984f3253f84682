"""What an "ensure" had to write, in words for an event."""

from enum import StrEnum
from typing import Final


class Correction(StrEnum):
    """A part of a tenant that was missing or different, and was written."""

    DATABASE_SCHEMA = "database schema"
    DATABASE_CHARACTER_SET = "database character set"
    DATABASE_USER = "database user"
    DATABASE_GRANTS = "set of database grants"
    AUDIT_LOG = "audit log"
    FIRST_AUDIT_LOG = "first audit log"
    FIRST_ROUTINES = "first right to routines"
    UNMANAGED_DATABASE_ACCOUNT = "unmanaged database account"
    UNMANAGED_DATABASE_GRANTS = "unmanaged database grants"
    STORAGE_ACCOUNT = "storage account"
    BUCKET = "bucket"
    BUCKET_ACCESS = "bucket access"
    BUCKET_POLICY = "bucket policy"
    BUCKET_VERSIONING = "bucket versioning"
    BUCKET_RETENTION = "bucket retention"
    CACHE_USER = "cache user"
    CACHE_RULES = "cache rules of an earlier release"
    UNMANAGED_CACHE_USER = "unmanaged cache user"
    UNMANAGED_CACHE_RIGHTS = "unmanaged cache rights"


SECURITY_RELEVANT: Final = frozenset(
    {
        Correction.DATABASE_USER,
        Correction.DATABASE_GRANTS,
        Correction.AUDIT_LOG,
        Correction.UNMANAGED_DATABASE_ACCOUNT,
        Correction.UNMANAGED_DATABASE_GRANTS,
        Correction.STORAGE_ACCOUNT,
        Correction.BUCKET_ACCESS,
        Correction.BUCKET_POLICY,
        Correction.CACHE_USER,
        Correction.UNMANAGED_CACHE_USER,
        Correction.UNMANAGED_CACHE_RIGHTS,
    }
)
"""Who may log in, what it opens, and the record of what was done: on a complete tenant, a manual change."""

UNMANAGED: Final = frozenset(
    {
        Correction.UNMANAGED_DATABASE_ACCOUNT,
        Correction.UNMANAGED_DATABASE_GRANTS,
        Correction.UNMANAGED_CACHE_USER,
        Correction.UNMANAGED_CACHE_RIGHTS,
    }
)
"""What Vivero never made, and removed."""

RENEWALS: Final = frozenset({Correction.CACHE_RULES, Correction.FIRST_AUDIT_LOG, Correction.FIRST_ROUTINES})
"""Migrations of what an earlier release wrote, or did not know yet: no drift."""
