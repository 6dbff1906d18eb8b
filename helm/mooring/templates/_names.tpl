{{/* Names and labels. A full name has at most 39 characters, so that every name made from it fits into 63. */}}

{{- define "mooring.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 39 | trimSuffix "-" }}
{{- end }}

{{- define "mooring.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 39 | trimSuffix "-" }}
{{- end }}

{{/* The labels of a selector. Never add one: a Deployment's selector cannot be changed. Takes {root, component}. */}}
{{- define "mooring.selector" -}}
app.kubernetes.io/name: {{ include "mooring.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* All labels of a resource. Takes {root, component}. */}}
{{- define "mooring.labels" -}}
{{ include "mooring.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mooring
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "mooring.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "mooring.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The migration runs before the chart's ServiceAccount exists, so a created one is a hook of its own. */}}
{{- define "mooring.migrateServiceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- include "mooring.fullname" . }}-migrate
{{- else }}
{{- include "mooring.serviceAccountName" . }}
{{- end }}
{{- end }}

{{- define "mooring.image" -}}
{{- $repository := required "image.repository is required: name the registry path of your Mooring image" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}
