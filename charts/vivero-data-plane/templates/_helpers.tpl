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
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "data-plane.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
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
