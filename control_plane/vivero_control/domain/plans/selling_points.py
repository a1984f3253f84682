"""Selling points: what the public pages promise, each with its evidence in the repository.

`tests/unit/control_plane_web/test_selling_points.py` looks for all evidence: a promise without it fails there.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct
from vivero_core.model.plan import Feature


class Route(Struct, frozen=True):
    """Something that a program answers."""

    program: Literal["workspace", "platform"]
    method: str
    path: str


class Limit(Struct, frozen=True):
    """A limit that plans have and workspaces keep to, by its field."""

    field: str


class File(Struct, frozen=True):
    """A chart, or the test that shows it, by its path in the repository."""

    path: str


Evidence = Route | Limit | File


class SellingPoint(Struct, frozen=True):
    """One promise."""

    title: str
    text: str
    evidence: tuple[Evidence, ...]
    icon: str = ""


FEATURES: Final[Mapping[Feature, SellingPoint]] = {
    Feature.COLLECTIONS: SellingPoint(
        "Collections with your own fields", "", (Route("workspace", "POST", "/api/v1/collections"),)
    ),
    Feature.FILES: SellingPoint("Files", "", (Route("workspace", "POST", "/api/v1/files"),)),
    Feature.IMPORT_EXPORT: SellingPoint(
        "Import and export of spreadsheets",
        "",
        (
            Route("workspace", "POST", "/api/v1/imports"),
            Route("workspace", "GET", "/api/v1/collections/{name}/export"),
        ),
    ),
    Feature.REPORTS: SellingPoint("Reports and charts", "", (Route("workspace", "POST", "/api/v1/reports"),)),
    Feature.ANALYTICS: SellingPoint(
        "Dashboards and pivot tables",
        "",
        (Route("workspace", "POST", "/api/v1/dashboards"), File("tests/integration/data_plane/test_plan_features.py")),
    ),
    Feature.API: SellingPoint("API", "", (Route("workspace", "GET", "/schema"),)),
    Feature.AUDIT_LOG: SellingPoint("Audit log", "", (Route("workspace", "GET", "/api/v1/audit"),)),
    Feature.SELF_HOSTING: SellingPoint(
        "Self-hosting", "", (File("charts/vivero-data-plane/Chart.yaml"), File("docs/self-hosting.md"))
    ),
}
"""What plans can have today. A Plan may name more, for a program to come; no price list shows it before."""
