"""Health check of the mail sink."""

import ssl
from pathlib import Path

import httpx

from vivero_dev.health import Health


def health(url: str, authority: Path) -> Health:
    try:
        context = ssl.create_default_context(cafile=str(authority))
        answer = httpx.get(f"{url}/api/messages", timeout=5, verify=context).raise_for_status()
        count = len(answer.json()["messages"])
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Health("mail", ok=False, message=str(error))
    return Health("mail", ok=True, message=f"{count} mails at {url}")
