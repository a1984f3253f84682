"""Every question of every dashboard has an answer on a platform that works."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import Kubectl
from e2e.observability.conftest import Watching
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from support.dashboards import questions
from vivero_dev.localhost import local_client

RARE = "signups: Time to answer a signup"
"""The last one was before this Prometheus began to look."""
PATIENCE = 240.0
"""Rates need two looks of Prometheus, and the share of a day its rule's two minutes."""


@pytest.fixture(scope="module")
def owned(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[OwnedTenant]:
    yield (made := OwnedTenant(kubectl, platform, "measured"))
    kubectl("delete", "tenant", made.name, "--timeout=85s")


def test_every_question_returns_figures(
    watching: Watching, owned: OwnedTenant, platform: dict[str, Any], authority: Path
) -> None:
    wanted = questions(owned.id)

    def silent() -> list[str]:
        owned.request("GET", "/api/v1/me")
        with local_client(authority) as client:
            client.get(f"{platform['control_plane_url']}/api/v1/plans").raise_for_status()
        return [name for name, expr in wanted.items() if not figures(watching, expr, rare=name.startswith(RARE))]

    wait_until(lambda: silent() == [], PATIENCE, "a figure for each question")


def figures(watching: Watching, expr: str, *, rare: bool) -> list[float]:
    """Those of all series; a quantile of no requests is none, but of what is rare."""
    values = [float(one["value"][1]) for one in watching.query(expr)]
    return [one for one in values if rare or math.isfinite(one)]
