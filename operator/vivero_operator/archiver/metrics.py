"""Prometheus metrics of the archiver."""

from prometheus_client import Counter, Gauge

BYTES = Counter("vivero_archiver_read_bytes_total", "Bytes of the server's binary log that were read")
GROUPS = Counter("vivero_archiver_groups_total", "Transactions of tenants that were read")
SEGMENTS = Counter("vivero_archiver_segments_total", "Segments that were stored")
LAG = Gauge("vivero_archiver_lag_seconds", "How old the newest moment is to which a tenant can be restored")
GAPS = Counter("vivero_archiver_gaps_total", "Parts of the log that the server no longer had")
KEYS_MISSING = Gauge("vivero_archiver_keys_missing", "Tenants whose part of the log waits for their key")
LOSSES = Counter("vivero_archiver_losses_total", "Parts of a tenant's log that were given up, for no key of it came")
STOPPED = Gauge("vivero_archiver_stopped", "1 while the log has something that cannot be archived")
