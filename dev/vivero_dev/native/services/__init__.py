"""MariaDB, Valkey, the S3 server and the mail sink as processes of this machine."""

# Programs and libraries alone: neither package brings a service that would start.
SERVICE_PACKAGES = ("mariadb-server-core", "mariadb-client-core", "libjemalloc2", "liblzf1", "util-linux")
