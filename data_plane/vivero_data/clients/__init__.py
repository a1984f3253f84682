"""Clients of cache, bucket and mail server; library errors are translated here."""
