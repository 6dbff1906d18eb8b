{{/* One long-running role: its Deployment and its disruption budget. Takes a workload (see _pod.tpl) and `scaled`. */}}
{{- define "mooring.deployment" -}}
{{- $root := .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "mooring.fullname" $root }}-{{ .component }}
  labels:
    {{- include "mooring.labels" . | nindent 4 }}
spec:
  {{- if not .scaled }}
  replicas: {{ int .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "mooring.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "mooring.labels" . | nindent 8 }}
        {{- with $root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "mooring.podSecurity" . | nindent 6 }}
      serviceAccountName: {{ include "mooring.serviceAccountName" $root }}
      terminationGracePeriodSeconds: {{ include "mooring.graceSeconds" . }}
      {{- with .values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with include "mooring.placement" $root | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "mooring.selector" $ | nindent 14 }}
        {{- end }}
      containers:
        - name: mooring
          image: {{ include "mooring.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          {{- include "mooring.containerSecurity" . | nindent 10 }}
          env:
            {{- include "mooring.env" . | trim | nindent 12 }}
          ports:
            - {name: admin, containerPort: 9464, protocol: TCP}
            {{- if eq .role "gateway" }}
            - {name: http, containerPort: 8080, protocol: TCP}
            {{- end }}
          {{- include "mooring.probes" . | nindent 10 }}
          {{- if eq .role "gateway" }}
          # Endpoints are taken away while the process still serves. It uses the first 5 s of the slack in the grace.
          lifecycle:
            preStop:
              sleep: {seconds: 5}
          {{- end }}
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - {name: secrets, mountPath: /etc/mooring/secrets, readOnly: true}
      volumes:
        {{- include "mooring.volumes" . | trim | nindent 8 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "mooring.fullname" $root }}-{{ .component }}
  labels:
    {{- include "mooring.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $root.Values.podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready anyway must not block the draining of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "mooring.selector" . | nindent 6 }}
{{- end }}
