{{/*
What decides about a pod besides its program. The charts of all three programs hold this file; a test compares them.
*/}}

{{/* Reference of an image: a digest wins over a tag. Call with (list image defaultTag). */}}
{{- define "vivero.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end -}}
{{- end }}

{{/* Labels and annotations of a pod: call with (list $ labels). The chart's own labels win. */}}
{{- define "vivero.pod-metadata" -}}
{{- $values := (index . 0).Values -}}
labels: {{- merge (index . 1 | fromYaml) ($values.podLabels | default dict) | toYaml | nindent 2 }}
{{- with $values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where a pod runs, and as whom. */}}
{{- define "vivero.pod-placement" -}}
enableServiceLinks: false
{{- range $field := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $.Values $field }}
{{ $field }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How pods of one program spread over nodes: call with (list $ selector). */}}
{{- define "vivero.spread" -}}
{{- $values := (index . 0).Values -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (index . 1 | fromYaml)) -}}
{{- $nodes := dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" -}}
{{- range $values.topologySpreadConstraints | default (list $nodes) }}
- {{ merge (deepCopy .) $selector | toYaml | indent 2 | trim }}
{{- end }}
{{- end }}

{{/* Variables of the values besides the chart's own: call with (list $ ownVariables). */}}
{{- define "vivero.extra-env" -}}
{{- $own := index . 1 | fromYamlArray -}}
{{- range $variable := (index . 0).Values.extraEnv }}
{{- range $own }}
{{- if eq .name $variable.name }}
{{- fail (printf "extraEnv: %s is set by the chart itself" .name) }}
{{- end }}
{{- end }}
{{- end }}
{{- with (index . 0).Values.extraEnv }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* What `helm test` starts: files/check.py in the program's own image. Call with (list $ name arguments). */}}
{{- define "vivero.test-pod" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ $name }}
    app.kubernetes.io/instance: {{ $root.Release.Name }}
    app.kubernetes.io/component: test
    app.kubernetes.io/part-of: vivero
    app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 120
  terminationGracePeriodSeconds: 1
  {{- include "vivero.pod-placement" $root | nindent 2 }}
  containers:
    - name: check
      image: {{ include "vivero.image" (list $root.Values.image $root.Chart.AppVersion) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [python3, -I, -c, {{ $root.Files.Get "files/check.py" | quote }}]
      args: {{- index . 2 | toYaml | nindent 8 }}
      resources:
        requests: {cpu: 20m, memory: 32Mi}
        limits: {memory: 128Mi}
      {{- with $root.Values.securityContext }}
      securityContext: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
