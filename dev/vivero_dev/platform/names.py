"""Names inside the cluster that charts, operator and control plane agree on."""

PLATFORM = "vivero-system"
SIGNUPS = "vivero-signups"
BACKING = "vivero-backing"
CONTROL_PLANE_TLS = "control-plane-tls"
WILDCARD_TLS = "wildcard-tls"
AUTHORITY = "vivero-ca"
FIELD_MANAGER = "vivero-dev"
