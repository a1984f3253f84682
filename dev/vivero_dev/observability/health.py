"""Whether a program that watches the platform answers."""

import ssl
from pathlib import Path
from typing import Final

import httpx

from vivero_dev.health import Health

_ASKED: Final = {
    "prometheus": "/-/ready",
    "alertmanager": "/-/ready",
    "jaeger": "/",
    "logs": "/health",
    "logs-agent": "/health",
}


def health(name: str, url: str, authority: Path) -> Health:
    """By the page that the program has for this question."""
    try:
        context = ssl.create_default_context(cafile=str(authority))
        httpx.get(url + _ASKED[name], timeout=5, verify=context).raise_for_status()
    except (httpx.HTTPError, OSError) as error:
        return Health(name, ok=False, message=str(error))
    return Health(name, ok=True, message=f"ready at {url}")
