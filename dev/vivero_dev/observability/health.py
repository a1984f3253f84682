"""Whether Prometheus or Alertmanager answers."""

import ssl
from pathlib import Path

import httpx

from vivero_dev.health import Health


def health(name: str, url: str, authority: Path) -> Health:
    """By the page that both of them have for this question."""
    try:
        context = ssl.create_default_context(cafile=str(authority))
        httpx.get(f"{url}/-/ready", timeout=5, verify=context).raise_for_status()
    except (httpx.HTTPError, OSError) as error:
        return Health(name, ok=False, message=str(error))
    return Health(name, ok=True, message=f"ready at {url}")
