"""MariaDB, Valkey, the S3 server and the mail sink as processes of this machine."""
