"""The look that every Vivero page shares: theme, fonts, icons, scripts, Jinja components, page headers.

Used by the control plane and the data plane; knows neither. `ui/README.md` says how a page is composed.
"""
