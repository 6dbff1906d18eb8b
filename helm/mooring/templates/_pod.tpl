{{/* The parts every pod shares. A workload is a dictionary:
  root        the chart's context
  component   "scheduler", "worker-publish", "gateway", "migrate"
  role        "scheduler", "worker", "gateway", "migrate"
  args        what follows the program's name
  values      the block with drainSeconds, resources, priorityClassName, replicas
  secrets     which of database, redis, vault, media, proof the role may read
*/}}

{{/* Time from SIGTERM to SIGKILL: the drain, 5 s until traffic has moved away, 5 s to flush telemetry, 20 s of slack. */}}
{{- define "mooring.graceSeconds" -}}
{{- add (int .values.drainSeconds) 5 5 20 }}
{{- end }}

{{- define "mooring.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "mooring.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "mooring.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Settings. Secrets arrive as paths of files, never as values. */}}
{{- define "mooring.env" -}}
{{- $root := .root }}
{{- if has "database" .secrets }}
- name: MOORING_DATABASE__URL_FILE
  value: /etc/mooring/secrets/database-url
{{- end }}
{{- if has "redis" .secrets }}
- name: MOORING_REDIS__URL_FILE
  value: /etc/mooring/secrets/redis-url
{{- end }}
{{- if has "vault" .secrets }}
- name: MOORING_VAULT__KEYS_FILE
  value: /etc/mooring/secrets/vault-keys
{{- end }}
{{- if has "proof" .secrets }}
- name: MOORING_PROOF__SIGNING_KEY_FILE
  value: /etc/mooring/secrets/proof-keys
{{- end }}
{{- if has .role (list "gateway" "worker") }}
{{- include "mooring.mediaEnv" . }}
{{- end }}
{{- if ne .role "migrate" }}
- name: MOORING_ADMIN__BIND
  value: {{ printf "%s:9464" $root.Values.bindAddress | quote }}
- name: MOORING_WORKER__DRAIN_S
  value: {{ int .values.drainSeconds | quote }}
{{- end }}
{{- if eq .role "gateway" }}
- name: MOORING_GATEWAY__BIND
  value: {{ printf "%s:8080" $root.Values.bindAddress | quote }}
{{- with $root.Values.gateway.publicUrl }}
- name: MOORING_GATEWAY__PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq .role "worker" }}
{{- range $lane, $slots := .values.slots }}
- name: MOORING_WORKER__SLOTS__{{ upper $lane }}
  value: {{ int $slots | quote }}
{{- end }}
{{- end }}
- name: MOORING_TELEMETRY__ENVIRONMENT
  value: {{ $root.Values.telemetry.environment | quote }}
{{- with $root.Values.telemetry.otlpEndpoint }}
- name: MOORING_TELEMETRY__OTLP_ENDPOINT
  value: {{ . | quote }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ printf "k8s.namespace.name=%s,k8s.pod.name=$(POD_NAME)" $root.Release.Namespace | quote }}
{{- end }}
{{- range $key, $value := $root.Values.config }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Where images and videos lie, and at which addresses platforms fetch them. */}}
{{- define "mooring.mediaEnv" -}}
{{- $media := .root.Values.media }}
{{- if $media.bucket }}
- name: MOORING_MEDIA__S3_BUCKET
  value: {{ $media.bucket | quote }}
{{- range $name := list "prefix" "region" "endpoint" }}
{{- with get $media $name }}
- name: MOORING_MEDIA__S3_{{ upper $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if has "media" .secrets }}
- name: MOORING_MEDIA__PUBLIC_URL
  value: {{ $media.publicUrl | quote }}
- name: MOORING_MEDIA__SIGNING_KEY_FILE
  value: /etc/mooring/secrets/media-key
{{- end }}
{{- end }}

{{/* Read-only files with the secrets of this role. */}}
{{- define "mooring.volumes" -}}
{{- $root := .root }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range .secrets }}
      {{- $secret := get $root.Values.secrets . }}
      - secret:
          name: {{ $secret.existingSecret }}
          items:
            - key: {{ $secret.key }}
              path: {{ get (dict "database" "database-url" "redis" "redis-url" "vault" "vault-keys" "media" "media-key" "proof" "proof-keys") . }}
      {{- end }}
{{- end }}

{{/* Liveness looks only at the process itself: a database that blinks must not restart the fleet. */}}
{{- define "mooring.probes" -}}
startupProbe:
  httpGet: {path: /startupz, port: admin}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 10
  timeoutSeconds: 2
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}
