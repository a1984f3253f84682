{{/* Call with (list . "serve") or (list . "worker"). */}}
{{- define "control-plane.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: vivero-control-plane
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "control-plane.labels" -}}
app.kubernetes.io/name: vivero-control-plane
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: vivero
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "control-plane.public-url" -}}
https://{{ .Values.baseDomain }}{{ if ne (int .Values.publicPort) 443 }}:{{ .Values.publicPort }}{{ end }}
{{- end }}

{{- define "control-plane.env" -}}
- {name: VIVERO_PUBLIC_URL, value: {{ include "control-plane.public-url" . | quote }}}
- {name: VIVERO_LISTEN_PORT, value: "8080"}
- {name: VIVERO_STAFF__SECOND_FACTOR_REQUIRED, value: {{ .Values.staff.secondFactorRequired | quote }}}
{{- with .Values.securityContact }}
- {name: VIVERO_SECURITY_CONTACT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.company }}
{{- if .name }}
- {name: VIVERO_COMPANY__NAME, value: {{ .name | quote }}}
- {name: VIVERO_COMPANY__ADDRESS, value: {{ required "company.address is wanted with company.name" .address | quote }}}
- {name: VIVERO_COMPANY__EMAIL, value: {{ required "company.email is wanted with company.name" .email | quote }}}
{{- with .subProcessors }}
- {name: VIVERO_COMPANY__SUB_PROCESSORS, value: {{ toJson . | quote }}}
{{- end }}
{{- range $key, $name := dict "phone" "PHONE" "representedBy" "REPRESENTED_BY" "registerEntry" "REGISTER_ENTRY" "vatId" "VAT_ID" "law" "LAW" }}
{{- with index $.Values.company $key }}
- {name: VIVERO_COMPANY__{{ $name }}, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with .invoicing }}
{{- if .iban }}
{{- $_ := required "company.vatId is wanted with company.invoicing.iban: it stands on each invoice" $.Values.company.vatId }}
- {name: VIVERO_COMPANY__INVOICING__IBAN, value: {{ .iban | quote }}}
- {name: VIVERO_COMPANY__INVOICING__COUNTRY, value: {{ required "company.invoicing.country is wanted with company.invoicing.iban" .country | quote }}}
- {name: VIVERO_COMPANY__INVOICING__VAT_RATE, value: {{ .vatRate | quote }}}
{{- with .bic }}
- {name: VIVERO_COMPANY__INVOICING__BIC, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
- {name: VIVERO_CORS_ORIGINS, value: {{ .Values.corsOrigins | toJson | quote }}}
- {name: VIVERO_DATABASE__HOST, value: {{ .Values.database.host | quote }}}
- {name: VIVERO_DATABASE__PORT, value: {{ .Values.database.port | quote }}}
- {name: VIVERO_DATABASE__NAME, value: {{ .Values.database.name | quote }}}
- {name: VIVERO_DATABASE__POOL_SIZE, value: {{ .Values.database.poolSize | quote }}}
- {name: VIVERO_CACHE__HOST, value: {{ .Values.cache.host | quote }}}
- {name: VIVERO_CACHE__PORT, value: {{ .Values.cache.port | quote }}}
- {name: VIVERO_CACHE__PREFIX, value: {{ .Values.cache.prefix | quote }}}
- {name: VIVERO_MAIL__HOST, value: {{ .Values.mail.host | quote }}}
- {name: VIVERO_MAIL__PORT, value: {{ .Values.mail.port | quote }}}
- {name: VIVERO_MAIL__SECURITY, value: {{ .Values.mail.security | quote }}}
- {name: VIVERO_MAIL__SENDER, value: {{ .Values.mail.sender | quote }}}
{{- with .Values.mail.replyTo }}
- {name: VIVERO_MAIL__REPLY_TO, value: {{ . | quote }}}
{{- end }}
{{- if and .Values.billing.secret .Values.billing.apiUrl }}
- {name: VIVERO_BILLING__API_URL, value: {{ .Values.billing.apiUrl | quote }}}
{{- with .Values.billing.pagesUrl }}
- {name: VIVERO_BILLING__PAGES_URL, value: {{ . | quote }}}
{{- end }}
{{- end }}
- {name: VIVERO_PLATFORM__CA, value: /run/vivero/platform/ca.crt}
- {name: VIVERO_KUBE__SIGNUPS_NAMESPACE, value: {{ .Values.signups.namespace | quote }}}
{{- with .Values.ingress.address }}
- {name: VIVERO_INGRESS__ADDRESS, value: {{ . | quote }}}
- {name: VIVERO_INGRESS__PORT, value: {{ $.Values.ingress.port | quote }}}
{{- end }}
- {name: VIVERO_INGRESS__PATIENCE, value: {{ .Values.ingress.patienceSeconds | quote }}}
- {name: VIVERO_JOBS__PATIENCE_HOURS, value: {{ .Values.jobs.patienceHours | quote }}}
{{- if .Values.probe.enabled }}
- {name: VIVERO_PROBE__INTERVAL_HOURS, value: {{ .Values.probe.intervalHours | quote }}}
{{- with .Values.probe.plan }}
- {name: VIVERO_PROBE__PLAN, value: {{ . | quote }}}
{{- end }}
{{- end }}
- {name: VIVERO_LIMITS__REQUESTS_PER_MINUTE, value: {{ int64 .Values.limits.requestsPerMinute | quote }}}
- {name: VIVERO_LIMITS__EVENT_STREAMS, value: {{ int64 .Values.limits.eventStreams | quote }}}
- {name: VIVERO_LIMITS__FORWARDED_HOPS, value: {{ .Values.limits.proxies.hops | quote }}}
- {name: VIVERO_LIMITS__TRUSTED_PROXIES, value: {{ .Values.limits.proxies.networks | toJson | quote }}}
- {name: VIVERO_TELEMETRY__LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: VIVERO_TELEMETRY__LOG_FORMAT, value: {{ .Values.logFormat | quote }}}
{{- with .Values.monitoring.prometheusUrl }}
- {name: VIVERO_MONITORING__PROMETHEUS_URL, value: {{ . | quote }}}
{{- end }}
{{- with .Values.costs }}
{{- if .enabled }}
- {name: VIVERO_COSTS__CURRENCY, value: {{ .currency | quote }}}
- {name: VIVERO_COSTS__WORKSPACE_CENTS, value: {{ int64 .workspaceCents | quote }}}
- {name: VIVERO_COSTS__STORAGE_GIB_CENTS, value: {{ int64 .storageGibCents | quote }}}
{{- end }}
{{- end }}
{{- with .Values.telemetry.otlpEndpoint }}
- {name: VIVERO_TELEMETRY__OTLP_ENDPOINT, value: {{ . | quote }}}
- {name: VIVERO_TELEMETRY__OTLP_RATIO, value: {{ $.Values.telemetry.ratio | quote }}}
{{- end }}
{{- end }}

{{- define "control-plane.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: database, mountPath: /run/vivero/database, readOnly: true}
- {name: cache, mountPath: /run/vivero/cache, readOnly: true}
- {name: app, mountPath: /run/vivero/app, readOnly: true}
- {name: platform, mountPath: /run/vivero/platform, readOnly: true}
{{- if .Values.mail.secret }}
- {name: mail, mountPath: /run/vivero/mail, readOnly: true}
{{- end }}
{{- if .Values.billing.secret }}
- {name: billing, mountPath: /run/vivero/billing, readOnly: true}
{{- end }}
{{- if .Values.telemetry.secret }}
- {name: telemetry, mountPath: /run/vivero/telemetry, readOnly: true}
{{- end }}
{{- end }}

{{- define "control-plane.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: database
  secret: {secretName: {{ .Values.database.secret }}, defaultMode: 0440}
- name: cache
  secret: {secretName: {{ .Values.cache.secret }}, defaultMode: 0440}
- name: app
  secret: {secretName: {{ .Values.app.secret }}, defaultMode: 0440}
- name: platform
  configMap: {name: {{ .Values.ca.configMap }}}
{{- with .Values.mail.secret }}
- name: mail
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.billing.secret }}
- name: billing
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.telemetry.secret }}
- name: telemetry
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* One of the two programs. Call with (list . "serve" .Values.serve). */}}
{{- define "control-plane.deployment" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index . 2 -}}
{{- $selector := include "control-plane.selector" (list $root $role) -}}
{{- $labels := printf "%s\napp.kubernetes.io/component: %s" (include "control-plane.labels" $root) $role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: vivero-control-plane{{ if eq $role "worker" }}-worker{{ end }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- $labels | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- $selector | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template:
    metadata: {{- include "vivero.pod-metadata" (list $root $labels) | nindent 6 }}
    spec:
      serviceAccountName: vivero-control-plane
      terminationGracePeriodSeconds: 30
      {{- include "vivero.pod-placement" $root | nindent 6 }}
      topologySpreadConstraints: {{- include "vivero.spread" (list $root $selector) | trim | nindent 8 }}
      initContainers:
        # Before every start, under a lock in the database: nothing to do is the usual case.
        - name: migrate
          image: {{ include "vivero.image" (list $root.Values.image $root.Chart.AppVersion) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [migrate]
          env:
            {{- include "control-plane.env" $root | nindent 12 }}
            {{- include "vivero.extra-env" (list $root (include "control-plane.env" $root)) | nindent 12 }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          {{- with $root.Values.securityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts: {{- include "control-plane.mounts" $root | nindent 12 }}
      containers:
        - name: {{ $role }}
          image: {{ include "vivero.image" (list $root.Values.image $root.Chart.AppVersion) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ $role }}]
          env:
            {{- include "control-plane.env" $root | nindent 12 }}
            {{- include "vivero.extra-env" (list $root (include "control-plane.env" $root)) | nindent 12 }}
          ports:
            {{- if eq $role "serve" }}
            - {name: http, containerPort: 8080, protocol: TCP}
            {{- end }}
            # Health and metrics, whatever the Host header says; not for the ingress.
            - {name: metrics, containerPort: 9090, protocol: TCP}
          resources: {{- toYaml $values.resources | nindent 12 }}
          startupProbe:
            httpGet: {path: /healthz, port: metrics}
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 60
          readinessProbe:
            httpGet: {path: /readyz, port: metrics}
            periodSeconds: 2
            timeoutSeconds: 3
          livenessProbe:
            httpGet: {path: /healthz, port: metrics}
            periodSeconds: 15
            timeoutSeconds: 5
          lifecycle:
            # Envoy hears of our end a moment later than we do.
            preStop: {sleep: {seconds: 3}}
          {{- with $root.Values.securityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts: {{- include "control-plane.mounts" $root | nindent 12 }}
      volumes: {{- include "control-plane.volumes" $root | nindent 8 }}
{{- end }}
