"""How the workspace writes numbers, dates and times on its pages."""
