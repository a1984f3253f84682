"""Alembic's environment; imported only when an existing schema is behind (see db/migrate.py)."""
