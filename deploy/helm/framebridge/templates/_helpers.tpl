{{- define "framebridge.name" -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "framebridge.labels" -}}
{{ include "framebridge.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "framebridge.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "framebridge.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "framebridge.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "framebridge.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{/* The configuration: what the chart knows, over what the values say. */}}
{{- define "framebridge.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $http := dict "listen" "0.0.0.0:8080" "internal_listen" "0.0.0.0:8082" }}
{{- if not (dig "http" "public_url" "" $config) }}
{{- $_ := set $http "public_url" (printf "https://%s" (required "config.http.public_url or ingress.host: how Frame.io and iconik reach Framebridge" .Values.ingress.host)) }}
{{- end }}
{{- $temporal := dict "address" .Values.temporal.address "namespace" .Values.temporal.namespace "ui_url" .Values.temporal.uiURL }}
{{- with .Values.temporal.tls }}
{{- if .existingSecret }}
{{- $tls := dict "cert" "/etc/framebridge/temporal/tls.crt" "key" "/etc/framebridge/temporal/tls.key" "server_name" .serverName }}
{{- if .ca }}{{ $_ := set $tls "ca" "/etc/framebridge/temporal/ca.crt" }}{{ end }}
{{- $_ := set $temporal "tls" $tls }}
{{- else if .enabled }}
{{- $_ := set $temporal "tls" (ternary (dict "server_name" .serverName) true (ne .serverName "")) }}
{{- end }}
{{- end }}
{{- mergeOverwrite $config (dict "http" $http "temporal" $temporal "worker" (dict "listen" "0.0.0.0:8081")) | toYaml }}
{{- end }}

{{/* A deployment's pod: root, component, its values, the program's arguments and ports, and where its health is. */}}
{{- define "framebridge.pod" -}}
{{- $root := .root }}
{{- $name := include "framebridge.name" $root }}
metadata:
  labels:
    {{- include "framebridge.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    {{- if $root.Values.restartOnConfigChange }}
    checksum/config: {{ include "framebridge.config" $root | sha256sum }}
    {{- end }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ .health | quote }}
    {{- with .values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "framebridge.serviceAccount" $root }}
  automountServiceAccountToken: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: 45 # both programs hand over within 30, the starter after its preStop
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: {{ .component }}
      image: {{ include "framebridge.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: {{ toJson .command }}
      args: ["--config", "/etc/framebridge/config/framebridge.yaml", "--log-format", {{ $root.Values.logFormat | quote }}]
      envFrom:
        - secretRef: {name: {{ $root.Values.existingSecret }}}
      ports:
        {{- range $port, $number := .ports }}
        - {name: {{ $port }}, containerPort: {{ $number }}}
        {{- end }}
      {{- if and (eq .component "starter") (semverCompare ">=1.30-0" $root.Capabilities.KubeVersion.Version) }}
      lifecycle: # requests still arrive until every node and the Ingress know that the pod goes
        preStop: {sleep: {seconds: 5}}
      {{- end }}
      startupProbe:
        httpGet: {path: /healthz, port: {{ .health }}}
        periodSeconds: 2
        failureThreshold: 60 # a ledger that is migrated
      livenessProbe:
        httpGet: {path: /healthz, port: {{ .health }}}
        periodSeconds: 10
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: {{ .health }}}
        periodSeconds: 5
        timeoutSeconds: 5
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources: {{- toYaml .values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/framebridge/config, readOnly: true}
        {{- if $root.Values.temporal.tls.existingSecret }}
        - {name: temporal, mountPath: /etc/framebridge/temporal, readOnly: true}
        {{- end }}
        {{- with $root.Values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: config
      configMap: {name: {{ $name }}}
    {{- with $root.Values.temporal.tls.existingSecret }}
    - name: temporal
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- with $root.Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .values.topologySpreadConstraints }}
    {{- toYaml .values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "framebridge.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .component }}
    {{- end }}
{{- end }}
