{{/* What a schema cannot say. Each message names the key and the way out. */}}
{{- define "mooring.validate" -}}
{{- if and .Values.media.publicUrl (not .Values.media.bucket) }}
{{- fail "media.publicUrl: there is no place for media; name a bucket in media.bucket as well" }}
{{- end }}
{{- $names := list }}
{{- $lanes := list }}
{{- range .Values.workers.pools }}
{{- if has .name $names }}
{{- fail (printf "workers.pools: two pools are named %q; give each pool its own name" .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- $lanes = concat $lanes .lanes }}
{{- $pool := . }}
{{- range $lane, $slots := .slots }}
{{- if not (has $lane $pool.lanes) }}
{{- fail (printf "workers.pools: pool %q has slots for the lane %q, which it does not serve; add the lane or remove its slots" $pool.name $lane) }}
{{- end }}
{{- end }}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) }}
{{- fail (printf "workers.pools: pool %q has autoscaling.minReplicas above autoscaling.maxReplicas" .name) }}
{{- end }}
{{- end }}
{{- range list "check" "refresh" "publish" "verify" "house" }}
{{- if not (has . $lanes) }}
{{- fail (printf "workers.pools: no pool serves the lane %q, so its jobs would wait for ever; add it to the lanes of a pool" .) }}
{{- end }}
{{- end }}
{{- end }}
