"""Dashboards: tiles of reports, lists and texts, one of which may be the home page's."""
