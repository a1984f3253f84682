"""The schema's history, for Alembic.

How to write the next revision:

- Four digits, one more than the last; `oldest_program` says which is the oldest program (by the newest revision it
  knows) that may still run on the schema after it. Without a way back there is no way to undo a release (ADR 0016).
- Expand: add a table, an index, a column with a default or NULL. Older programs do not notice, so `oldest_program` is
  that of the revision before.
- Contract, in a later release, when no program runs any more that needs what goes: drop, rename, narrow. Then
  `oldest_program` is the first revision whose program does without it.
"""
