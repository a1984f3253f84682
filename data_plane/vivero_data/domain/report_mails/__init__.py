"""Reports and dashboards by e-mail, on a schedule."""
