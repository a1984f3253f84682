{{- define "data-plane.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "data-plane.selector" -}}
app.kubernetes.io/name: vivero-data-plane
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "data-plane.labels" -}}
{{ include "data-plane.selector" . }}
app.kubernetes.io/part-of: vivero
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Host without scheme and port. */}}
{{- define "data-plane.host" -}}
{{ (urlParse .Values.workspace.publicUrl).hostname }}
{{- end }}

{{/* One folder of the mounted files: call with (list "database" secretName (list keys)). */}}
{{- define "data-plane.secret" -}}
{{- $folder := index . 0 -}}
- secret:
    name: {{ index . 1 }}
    items:
      {{- range index . 2 }}
      - {key: {{ . }}, path: {{ $folder }}/{{ . }}}
      {{- end }}
{{- end }}

{{- define "data-plane.env" -}}
- {name: VIVERO_TENANT_ID, value: {{ .Values.workspace.id | quote }}}
- {name: VIVERO_TENANT_NAME, value: {{ .Values.workspace.name | quote }}}
- {name: VIVERO_PUBLIC_URL, value: {{ .Values.workspace.publicUrl | quote }}}
- {name: VIVERO_SECRETS_DIR, value: /run/vivero}
- {name: VIVERO_DATABASE_POOL, value: {{ .Values.database.pool | quote }}}
- {name: VIVERO_MAX_FILE_BYTES, value: {{ int64 .Values.maxFileBytes | quote }}}
- {name: VIVERO_PROXY_HOPS, value: {{ .Values.proxyHops | quote }}}
{{- with .Values.securityContact }}
- {name: VIVERO_SECURITY_CONTACT, value: {{ . | quote }}}
{{- end }}
- {name: VIVERO_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: VIVERO_LOG_FORMAT, value: {{ .Values.logFormat | quote }}}
{{- with .Values.telemetry.otlpEndpoint }}
- {name: VIVERO_OTLP_ENDPOINT, value: {{ . | quote }}}
- {name: VIVERO_OTLP_RATIO, value: {{ $.Values.telemetry.ratio | quote }}}
{{- end }}
{{- end }}
