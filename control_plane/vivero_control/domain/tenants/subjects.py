"""How the audit log names a tenant."""


def subject(name: str) -> str:
    """By the name of its Tenant."""
    return f"tenant/{name}"


def signup_subject(digest: str) -> str:
    """By its signup, when the Tenant's name is not known yet."""
    return f"signup/{digest}"
