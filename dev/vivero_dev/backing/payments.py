"""Health check of the stand-in of the payment provider."""

import ssl
from pathlib import Path

import httpx

from vivero_dev.health import Health


def health(url: str, authority: Path) -> Health:
    try:
        context = ssl.create_default_context(cafile=str(authority))
        answer = httpx.get(f"{url}/health", timeout=5, verify=context).raise_for_status()
        count = answer.json()["subscriptions"]
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Health("payments", ok=False, message=str(error))
    return Health("payments", ok=True, message=f"stand-in with {count} subscriptions at {url}")
