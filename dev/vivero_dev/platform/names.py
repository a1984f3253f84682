"""Names inside the cluster that charts, operator and control plane agree on."""

PLATFORM = "vivero-system"
SIGNUPS = "vivero-signups"
BACKING = "vivero-backing"
WILDCARD_TLS = "wildcard-tls"
AUTHORITY = "vivero-ca"
TENANT_MAIL = "tenant-mail"
FIELD_MANAGER = "vivero-dev"
