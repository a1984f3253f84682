"""The address that stops mails to one person: what it names is signed, so that no login is needed; pure."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

PAGE: Final = "/stop-mails"
_DIGEST: Final = 18  # bytes


def token(key: str, schedule_id: int, user_id: int) -> str:
    """For the address of a mail; `key` is hexadecimal. It is good as long as the schedule is."""
    named = f"{schedule_id}.{user_id}"
    found = hmac.digest(bytes.fromhex(key), f"stop report mails {named}".encode(), hashlib.sha256)[:_DIGEST]
    return f"{named}.{urlsafe_b64encode(found).decode()}"


def read(key: str, text: str) -> tuple[int, int] | None:
    """The schedule and the person that a token names; None if it is not ours."""
    schedule, _, rest = text.partition(".")
    user = rest.partition(".")[0]
    if not (schedule.isascii() and schedule.isdigit() and user.isascii() and user.isdigit()):
        return None
    if max(len(schedule), len(user)) > 18:  # noqa: PLR2004  digits of the largest number
        return None
    numbers = int(schedule), int(user)
    return numbers if hmac.compare_digest(token(key, *numbers).encode(), text.encode()) else None
