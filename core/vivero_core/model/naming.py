"""Names derived from a tenant's id, and the rules for the slug a person chooses.

Every backend name comes from the id, never from the slug: a re-created Tenant of the same name cannot see its
predecessor's data. No name holds `_` or `%`, which are wildcards in a MariaDB GRANT.
"""

import base64
import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

TENANT_ID_LENGTH: Final = 10
TENANT_ID_PATTERN: Final = r"^[a-z2-7]{10}$"

PLATFORM_ID: Final = "platform"
"""In the backup bucket and its logs: the owner of the control plane's tables and of the platform's state. No tenant's id."""

SLUG_MIN_LENGTH: Final = 3
SLUG_MAX_LENGTH: Final = 40
SLUG_PATTERN: Final = r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$"

HOST_MAX_LENGTH: Final = 253
HOST_PATTERN: Final = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
"""A lower-case DNS name of at least two labels; the last starts with a letter, so that an IP address is none."""

EMAIL_MAX_LENGTH: Final = 254
EMAIL_PATTERN: Final = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
)

DISPLAY_NAME_MAX_LENGTH: Final = 80
JOINERS: Final = ("\u200c", "\u200d")
"""Persian, Sinhala and many emoji are not written without them, though Unicode counts them as formatting characters."""

OBJECT_NAME_PATTERN: Final = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"

RESERVED_SLUGS: Final = frozenset(
    {
        # The platform's own hosts, now or likely.
        "account", "admin", "api", "app", "apps", "assets", "auth", "billing", "blog", "cdn", "cluster", "console",
        "control-plane", "dashboard", "demo", "dev", "docs", "download", "downloads", "files", "grafana", "health",
        "help", "home", "internal", "kubernetes", "login", "logout", "metrics", "monitoring", "news", "operator",
        "platform", "portal", "pricing", "prometheus", "sandbox", "secure", "security", "shop", "signup", "sso",
        "staff", "staging", "static", "status", "store", "support", "system", "test", "vivero", "www",
        # Names that mail and browsers look up by themselves.
        "autoconfig", "autodiscover", "ftp", "imap", "localhost", "mail", "mta-sts", "ns1", "ns2", "pop", "pop3",
        "smtp", "webmail", "wpad",
        # Addresses that certificate authorities trust (RFC 2142 and the CA/B forum's list).
        "abuse", "administrator", "hostmaster", "noc", "postmaster", "root", "webmaster",
    }
)  # fmt: skip

_FALLBACK_SLUG: Final = "workspace"
# Letters that Unicode does not decompose into an ASCII letter and a mark.
_TRANSLITERATION: Final = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "&": " and ",
    }
)


@lru_cache(maxsize=4096)  # asked for at every event of a pod
def tenant_id(uid: str) -> str:
    """The 10 lower-case base-32 characters (50 bits) that name everything of the Tenant with this metadata.uid."""
    digest = hashlib.sha256(uid.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:TENANT_ID_LENGTH]


def is_tenant_id(text: str) -> bool:
    return re.fullmatch(r"[a-z2-7]{10}", text) is not None


def _checked(ident: str) -> str:
    """Stop a malformed id before it becomes part of a name that SQL or a path is made of."""
    if not is_tenant_id(ident):
        raise ValueError(f"not a tenant id: {ident!r}")
    return ident


def database_name(ident: str) -> str:
    return f"vt{_checked(ident)}"


def audit_database_name(ident: str) -> str:
    """The schema of the audit log, beside the tenant's own."""
    return f"{database_name(ident)}audit"


def next_database_name(ident: str) -> str:
    """The schema that a restore in place loads, until its tables take the place of the live ones."""
    return f"{database_name(ident)}next"


def last_database_name(ident: str) -> str:
    """The schema that keeps the tables whose place the newest restore in place has taken."""
    return f"{database_name(ident)}last"


def as_of_database_names(ident: str) -> tuple[str, str]:
    """The schemas with a tenant's data as of a second and its audit log of then, while somebody looks at them."""
    name = f"{database_name(ident)}asof"
    return name, f"{name}audit"


def database_names(ident: str) -> tuple[str, ...]:
    """All schemas that a tenant may have."""
    name = database_name(ident)
    own = name, audit_database_name(ident), next_database_name(ident), last_database_name(ident)
    return *own, *as_of_database_names(ident)


def tenant_of_database(name: str) -> str | None:
    """The id of the tenant one of whose schemas has this name; None for any other."""
    match = re.fullmatch(r"vt([a-z2-7]{10})(audit|next|last|asof|asofaudit)?", name)
    return match[1] if match else None


def database_users(ident: str) -> tuple[str, str]:
    """Two users, so that a password can rotate with overlap; the first is the one made at provisioning."""
    base = f"vt{_checked(ident)}"
    return f"{base}a", f"{base}b"


def loading_user(ident: str) -> str:
    """The user that fills the schema of `next_database_name`; it lives as long as a restore in place."""
    return f"vt{_checked(ident)}r"


def viewing_user(ident: str) -> str:
    """The user that reads the schemas of `as_of_database_names`, after it has filled them."""
    return f"vt{_checked(ident)}v"


def bucket_name(ident: str) -> str:
    """The bucket, and the S3 account that owns it."""
    return f"vivero-{_checked(ident)}"


def cache_user(ident: str) -> str:
    return f"vt{_checked(ident)}"


def cache_prefix(ident: str) -> str:
    """The prefix of the tenant's cache keys; it ends in the delimiter, so that no id is a prefix of another."""
    return f"vt{_checked(ident)}:"


def namespace_name(ident: str) -> str:
    return f"tenant-{_checked(ident)}"


def tenant_in_namespace(name: str) -> str | None:
    """The id of the tenant whose namespace has this name; None for any other namespace."""
    ident = name.removeprefix("tenant-")
    return ident if name.startswith("tenant-") and is_tenant_id(ident) else None


def slug_problem(slug: str) -> str | None:
    """A sentence that says why `slug` cannot be used, or None when it can."""
    if not SLUG_MIN_LENGTH <= len(slug) <= SLUG_MAX_LENGTH:
        return f"Use {SLUG_MIN_LENGTH} to {SLUG_MAX_LENGTH} characters."
    if re.fullmatch(SLUG_PATTERN, slug.replace("\n", " ")) is None:
        return "Use lower-case letters, digits and hyphens; start with a letter and end with a letter or digit."
    if "--" in slug:
        return "Use no two hyphens in a row."
    if slug in RESERVED_SLUGS:
        return "This name is reserved."
    return None


def is_host(host: str) -> bool:
    """Whether `host` is a lower-case DNS name of at least two labels."""
    return len(host) <= HOST_MAX_LENGTH and re.fullmatch(HOST_PATTERN.strip("^$"), host) is not None


def is_display_name(name: str) -> bool:
    """Whether the Tenant's definition takes it as a name that people read."""
    bare = "".join(char for char in name if char not in JOINERS)
    hidden = any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in bare)
    return 0 < len(name) <= DISPLAY_NAME_MAX_LENGTH and name == name.strip() and not hidden


def slugify(name: str) -> str:
    """The nearest valid slug for a company's name; always valid, never reserved, not necessarily free."""
    lowered = name.lower().translate(_TRANSLITERATION)
    plain = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not words:
        return _FALLBACK_SLUG
    if not words[0].isalpha():
        words = f"w-{words}"
    slug = words[:SLUG_MAX_LENGTH].rstrip("-")
    if slug_problem(slug) is not None:
        slug = f"{slug}-{_FALLBACK_SLUG}"
    return slug
