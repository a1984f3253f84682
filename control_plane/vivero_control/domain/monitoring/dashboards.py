"""The dashboards, in the order of their tabs."""

from typing import Final

from vivero_control.domain.monitoring.customers import FLEET, SIGNUPS, TENANT
from vivero_control.domain.monitoring.panels import Dashboard
from vivero_control.domain.monitoring.platform import BACKUPS, DATABASES, OPERATOR

DASHBOARDS: Final[dict[str, Dashboard]] = {
    one.name: one for one in (FLEET, SIGNUPS, OPERATOR, DATABASES, BACKUPS, TENANT)
}
