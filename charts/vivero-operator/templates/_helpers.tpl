{{- define "operator.selector" -}}
app.kubernetes.io/name: vivero-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/part-of: vivero
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* What the pods of operations have in common with the operator's own: they run the same image. */}}
{{- define "operator.pod" -}}
{{- $placement := pick .Values "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- $options := dict "labels" .Values.podLabels "annotations" .Values.podAnnotations }}
{{- range $key, $value := $placement }}
{{- if $value }}
{{- $_ := set $options $key $value }}
{{- end }}
{{- end }}
{{- $_ := set $options "podSecurityContext" (pick .Values.podSecurityContext "runAsUser" "runAsGroup" "fsGroup" "fsGroupChangePolicy" "supplementalGroups") }}
{{- $options | toJson }}
{{- end }}

{{- define "operator.env" -}}
- {name: VIVERO_IDENTITY, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: VIVERO_PLATFORM_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: VIVERO_DATA_PLANE_IMAGE, value: {{ include "vivero.image" (list .Values.dataPlane.image .Chart.AppVersion) | quote }}}
- {name: VIVERO_OPERATOR_IMAGE, value: {{ include "vivero.image" (list .Values.image .Chart.AppVersion) | quote }}}
- {name: VIVERO_OPERATOR_PULL_POLICY, value: {{ .Values.image.pullPolicy | quote }}}
- {name: VIVERO_OPERATOR_POD, value: {{ include "operator.pod" . | fromJson | toJson | quote }}}
- {name: VIVERO_IMAGE_PULL_POLICY, value: {{ .Values.dataPlane.image.pullPolicy | quote }}}
- {name: VIVERO_DATA_PLANE_POD, value: {{ .Values.dataPlane.pod | toJson | quote }}}
{{- with .Values.securityContact }}
- {name: VIVERO_SECURITY_CONTACT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.accountUrl }}
- {name: VIVERO_ACCOUNT_URL, value: {{ . | quote }}}
{{- end }}
- {name: VIVERO_BASE_DOMAIN, value: {{ .Values.baseDomain | quote }}}
- {name: VIVERO_PUBLIC_PORT, value: {{ .Values.publicPort | quote }}}
{{- with .Values.gateway }}
{{- if .name }}
- {name: VIVERO_GATEWAY, value: {{ . | toJson | quote }}}
{{- end }}
{{- end }}
- {name: VIVERO_INGRESS_CLASS, value: {{ .Values.ingress.class | quote }}}
- {name: VIVERO_INGRESS_NAMESPACE, value: {{ .Values.ingress.namespace | quote }}}
- {name: VIVERO_WILDCARD_TLS, value: {{ .Values.ingress.wildcardTls | quote }}}
{{- with .Values.ingress }}
{{- if kindIs "map" .annotations }}
- {name: VIVERO_INGRESS_ANNOTATIONS, value: {{ .annotations | toJson | quote }}}
{{- end }}
{{- if kindIs "map" .serviceAnnotations }}
- {name: VIVERO_INGRESS_SERVICE_ANNOTATIONS, value: {{ .serviceAnnotations | toJson | quote }}}
{{- end }}
{{- end }}
- {name: VIVERO_WILDCARD_TLS_SECRET, value: {{ .Values.ingress.wildcardTlsSecret | quote }}}
- {name: VIVERO_CONTROL_PLANE_SERVICE, value: {{ .Values.ingress.controlPlaneService | quote }}}
- {name: VIVERO_SIGNUPS_NAMESPACE, value: {{ .Values.signups.namespace | quote }}}
- {name: VIVERO_CA_CONFIG_MAP, value: {{ .Values.ca.configMap | quote }}}
- {name: VIVERO_TICKET_KEY_CONFIG_MAP, value: {{ .Values.ticketKey.configMap | quote }}}
- {name: VIVERO_VALKEY_HOST, value: {{ .Values.valkey.host | quote }}}
- {name: VIVERO_VALKEY_PORT, value: {{ .Values.valkey.port | quote }}}
- {name: VIVERO_VALKEY_ADMIN_SECRET, value: {{ .Values.valkey.adminSecret | quote }}}
- {name: VIVERO_VALKEY_USERS, value: {{ .Values.valkey.users | quote }}}
{{- if eq .Values.valkey.users "elasticache" }}
- {name: VIVERO_ELASTICACHE_ENDPOINT, value: {{ .Values.valkey.elasticache.endpoint | quote }}}
- {name: VIVERO_ELASTICACHE_REGION, value: {{ .Values.valkey.elasticache.region | quote }}}
- {name: VIVERO_ELASTICACHE_USER_GROUP, value: {{ .Values.valkey.elasticache.userGroup | quote }}}
- {name: VIVERO_ELASTICACHE_ADMIN_SECRET, value: {{ .Values.valkey.elasticache.adminSecret | quote }}}
{{- end }}
- {name: VIVERO_S3_ENDPOINT, value: {{ .Values.s3.endpoint | quote }}}
- {name: VIVERO_S3_REGION, value: {{ .Values.s3.region | quote }}}
- {name: VIVERO_S3_ADMIN_SECRET, value: {{ .Values.s3.adminSecret | quote }}}
- {name: VIVERO_S3_ACCOUNTS, value: {{ .Values.s3.accounts | quote }}}
- {name: VIVERO_IAM_ENDPOINT, value: {{ .Values.s3.iamEndpoint | quote }}}
- {name: VIVERO_BACKUP_SECRET, value: {{ .Values.backup.secret | quote }}}
- {name: VIVERO_BACKUPS_AT_ONCE, value: {{ .Values.backup.atOnce | quote }}}
- {name: VIVERO_RECOVERY_DAYS, value: {{ .Values.backup.recoveryDays | quote }}}
- {name: VIVERO_BACKUP_LOCK, value: {{ .Values.backup.lock | quote }}}
- {name: VIVERO_PROOF_SCHEDULE, value: {{ .Values.proofs | toJson | quote }}}
{{- with .Values.telemetry.otlpEndpoint }}
- {name: VIVERO_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.telemetry.secret }}
- {name: VIVERO_OTLP_HEADERS, valueFrom: {secretKeyRef: {name: {{ . }}, key: otlp_headers, optional: true}}}
- {name: VIVERO_SENTRY_DSN, valueFrom: {secretKeyRef: {name: {{ . }}, key: sentry_dsn, optional: true}}}
{{- end }}
{{- with .Values.telemetry.workspaces.secret }}
- {name: VIVERO_WORKSPACE_TELEMETRY_SECRET, value: {{ . | quote }}}
{{- end }}
{{- with .Values.telemetry.workspaces.otlpEndpoint }}
- {name: VIVERO_WORKSPACE_OTLP_ENDPOINT, value: {{ . | quote }}}
- {name: VIVERO_WORKSPACE_OTLP_RATIO, value: {{ $.Values.telemetry.workspaces.ratio | quote }}}
{{- end }}
- {name: VIVERO_MONITORING_NAMESPACE, value: {{ .Values.monitors.namespace | quote }}}
- {name: VIVERO_EGRESS_CIDRS, value: {{ .Values.egressCidrs | toJson | quote }}}
- {name: VIVERO_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: VIVERO_LOG_FORMAT, value: {{ .Values.logFormat | quote }}}
- {name: VIVERO_CONCURRENCY, value: {{ .Values.concurrency | quote }}}
- {name: VIVERO_STARTS_AT_ONCE, value: {{ .Values.startsAtOnce | quote }}}
- {name: VIVERO_RELEASE_BATCH, value: {{ .Values.release.batch | quote }}}
- {name: VIVERO_RELEASE_PAUSE_SECONDS, value: {{ .Values.release.pauseSeconds | quote }}}
- {name: VIVERO_RELEASE_DEADLINE_SECONDS, value: {{ .Values.release.deadlineSeconds | quote }}}
- {name: VIVERO_RELEASE_FAILURES, value: {{ .Values.release.failures | quote }}}
- {name: VIVERO_HOST_VERIFICATION, value: {{ .Values.hosts.verification | quote }}}
- {name: VIVERO_DNS_SERVERS, value: {{ .Values.hosts.dnsServers | toJson | quote }}}
- {name: VIVERO_MAIL_SECRET, value: {{ .Values.mail.secret | quote }}}
- {name: VIVERO_HOST_ISSUER, value: {{ .Values.hosts.issuer | quote }}}
{{- end }}
