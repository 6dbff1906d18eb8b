{{/* The traffic one role needs, and nothing else: the policy names both directions, so what is not listed is denied.
     Takes a workload (see _pod.tpl) and, for hooks, `annotations`. */}}
{{- define "mooring.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "mooring.fullname" .root }}-{{ .component }}
  labels:
    {{- include "mooring.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "mooring.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- default "[]" (include "mooring.ingressRules" . | trim) | nindent 4 }}
  egress:
    {{- include "mooring.egressRules" . | trim | nindent 4 }}
{{- end }}

{{- define "mooring.ingressRules" -}}
{{- $np := .root.Values.networkPolicy }}
{{- $admin := $np.monitoring.from }}
{{- if and (eq .role "gateway") .root.Values.autoscaling.enabled }}
{{- $admin = concat $admin $np.keda.from }}
{{- end }}
{{- if and $admin (ne .role "migrate") }}
- ports:
    - {port: admin, protocol: TCP}
  from:
    {{- toYaml $admin | nindent 4 }}
{{- end }}
{{- if eq .role "gateway" }}
- ports:
    - {port: http, protocol: TCP}
  {{- with $np.api.from }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "mooring.egressRules" -}}
{{- $np := .root.Values.networkPolicy }}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  to:
    {{- toYaml $np.dns.to | nindent 4 }}
{{ include "mooring.egressTo" $np.database }}
{{- if has "redis" .secrets }}
{{ include "mooring.egressTo" $np.redis }}
{{- end }}
{{- if .root.Values.telemetry.otlpEndpoint }}
{{ include "mooring.egressTo" $np.otlp }}
{{- end }}
{{- $media := and (has .role (list "gateway" "worker")) .root.Values.media.bucket }}
{{- if and $media $np.media.to }}
{{ include "mooring.egressTo" $np.media }}
{{- end }}
{{- if has .role (list "worker" "gateway") }}
- ports:
    - {port: 443, protocol: TCP}
  to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: {{ toJson $np.https.except }}
    - ipBlock:
        cidr: ::/0
        except: {{ toJson $np.https.exceptIPv6 }}
{{- with $np.workerExtraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* One port, to the peers in `to`, or to any address when there are none. */}}
{{- define "mooring.egressTo" -}}
- ports:
    - {port: {{ int .port }}, protocol: TCP}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
