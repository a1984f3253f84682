"""What binds a login to the password it was made with: whichever way the password changes, the login is over."""

from vivero_web.tokens import digest


def security_stamp(password_hash: str) -> str:
    """Tells two passwords apart, and nothing about either: the hash is salted, and this is a part of its digest."""
    return digest(password_hash).hex()[:32]
