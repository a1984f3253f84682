"""Counts and times of requests, by route, for Prometheus."""

from litestar.plugins.prometheus import PrometheusController


class Metrics(PrometheusController):
    """Serves what this process has counted."""

    path = "/metrics"
    openmetrics_format = False
    include_in_schema = False
