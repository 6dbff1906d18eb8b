"""Plants one fault at a time in a copy of the chart. A fault that leaves the check green is a hole in the check.

usage: faults.py ROOT
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Title: (file, text that is there, text that replaces it, part of the FAIL line that must appear)
FAULTS = {
    "a misspelt field": ("templates/_workload.tpl", "revisionHistoryLimit:", "revisionHistoryLimits:", "schemas of Kubernetes"),
    "a broken template": ("templates/gateway.yaml", "{{- if .Values.networkPolicy.enabled }}", "{{- if }}", "render"),
    "a kind nobody knows": ("templates/serviceaccount.yaml", "kind: ServiceAccount", "kind: ServiceAcount", "schemas of Kubernetes"),
    "a new version of the program": ("Chart.yaml", 'appVersion: "0.1.0"', 'appVersion: "9.9.9"', "names the program's version"),
    "root allowed": ("templates/_pod.tpl", "runAsNonRoot: true", "runAsNonRoot: false", "pods are restricted"),
    "no seccomp profile": ("templates/_pod.tpl", "type: RuntimeDefault", "type: Unconfined", "pods are restricted"),
    "capabilities kept": ("templates/_pod.tpl", "drop: [ALL]", "drop: [NET_RAW]", "pods are restricted"),
    "privilege escalation": ("templates/_pod.tpl", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "pods are restricted"),
    "a writable root": ("templates/_pod.tpl", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "pods are restricted"),
    "another user": ("templates/_pod.tpl", "runAsUser: 65532", "runAsUser: 1000", "pods are restricted"),
    "a mounted token": ("templates/_pod.tpl", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "pods are restricted"),
    "service links": ("templates/_pod.tpl", "enableServiceLinks: false", "enableServiceLinks: true", "pods are restricted"),
    "a hook that is not restricted": ("templates/migrate.yaml", '{{- include "mooring.podSecurity" . | nindent 6 }}', "hostNetwork: true", "pods are restricted"),
    "a host path": ("templates/_pod.tpl", "- name: secrets\n  projected:", "- name: host\n  hostPath: {path: /}\n- name: secrets\n  projected:", "pods are restricted"),
    "a fixed grace": ("templates/_workload.tpl", '{{ include "mooring.graceSeconds" . }}', "60", "grace = drain"),
    "a grace without slack": ("templates/_pod.tpl", "5 5 20", "5 5", "grace = drain"),
    "a drain time the worker is not told": ("templates/_pod.tpl", "{{ int .values.drainSeconds | quote }}", '"30"', "grace = drain"),
    "slots the worker is not told": ("templates/_pod.tpl", "SLOTS__{{ upper $lane }}", "SLOTS", "the workloads and their arguments"),
    "a long sleep before stopping": ("templates/_workload.tpl", "sleep: {seconds: 5}", "sleep: {seconds: 25}", "grace = drain"),
    "replicas although autoscaled": ("templates/_workload.tpl", "{{- if not .scaled }}", "{{- if true }}", "replicas are absent"),
    "replicas never set": ("templates/_workload.tpl", "{{- if not .scaled }}", "{{- if false }}", "replicas are absent"),
    "scaling to zero": ("templates/autoscaling.yaml", "minReplicaCount: {{ int .autoscaling.minReplicas }}", "minReplicaCount: 0", "scaled objects"),
    "a KEDA key that does not exist": ("templates/autoscaling.yaml", "minReplicaCount:", "minReplicas:", "scaled objects"),
    "a target that is a number": ("templates/autoscaling.yaml", "targetBacklog | quote }}", "targetBacklog }}", "scaled objects"),
    "no fallback": ("templates/autoscaling.yaml", "behavior: currentReplicasIfHigher", "behavior: static", "scaled objects"),
    "a scale URL nobody answers": ("templates/autoscaling.yaml", "%s-gateway-admin.%s.svc", "%s-gateway.%s.svc", "scaled objects"),
    "one lane for all triggers": ("templates/autoscaling.yaml", "$fullname $.Release.Namespace . |", '$fullname $.Release.Namespace "publish" |', "scaled objects"),
    "a secret in the environment": ("templates/_pod.tpl", "- name: MOORING_REDIS__URL_FILE\n  value: /etc/mooring/secrets/redis-url",
                                    "- name: MOORING_REDIS__URL\n  value: redis://:hunter2@redis", "no secret as a literal"),
    "a file that is not mounted": ("templates/_pod.tpl", "value: /etc/mooring/secrets/vault-keys", "value: /etc/mooring/vault-keys", "no secret as a literal"),
    "the key ring for everyone": ("templates/scheduler.yaml", '(list "database" "redis")', '(list "database" "redis" "vault")', "reads only its secrets"),
    "a budget for no pod": ("templates/_workload.tpl", '  selector:\n    matchLabels:\n      {{- include "mooring.selector" . | nindent 6 }}\n{{- end }}',
                            '  selector:\n    matchLabels: {app: none}\n{{- end }}', "disruption budgets"),
    "no budget for sick pods": ("templates/_workload.tpl", "AlwaysAllow", "IfHealthyBudget", "disruption budgets"),
    "liveness that asks the database": ("templates/_pod.tpl", "{path: /livez, port: admin}", "{path: /readyz, port: admin}", "probes on the admin port"),
    "impatient liveness": ("templates/_pod.tpl", "failureThreshold: 6", "failureThreshold: 1", "probes on the admin port"),
    "a CPU limit": ("values.yaml", "limits: {memory: 512Mi,", "limits: {cpu: 500m, memory: 512Mi,", "no CPU limit"),
    "no memory limit": ("templates/_workload.tpl", "{{- toYaml .values.resources | nindent 12 }}", "{requests: {cpu: 1, memory: 1Gi}}", "memory limit"),
    "no spread": ("templates/_workload.tpl", "topology.kubernetes.io/zone", "example.com/rack", "spread over zones"),
    "private addresses reachable": ("values.yaml", "except: [10.0.0.0/8, ", "except: [", "network policies"),
    "egress to everywhere": ("templates/_network.tpl", "- ports:\n    - {port: 443, protocol: TCP}\n  to:", "- to:", "network policies"),
    "egress left open": ("templates/_network.tpl", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", "network policies"),
    "KEDA locked out": ("templates/_network.tpl", "concat $admin $np.keda.from", "$admin", "network policies"),
    "443 for the scheduler": ("templates/_network.tpl", '{{- if has .role (list "worker" "gateway") }}', '{{- if ne .role "migrate" }}', "network policies"),
    "a bucket out of reach": ("templates/_network.tpl", "{{- if and $media $np.media.to }}", "{{- if false }}", "network policies"),
    "media that only workers know": ("templates/_pod.tpl", '(list "gateway" "worker") }}\n{{- include "mooring.mediaEnv"', '(list "worker") }}\n{{- include "mooring.mediaEnv"', "reads only its secrets"),
    "a bucket that nobody is told": ("templates/_pod.tpl", "- name: MOORING_MEDIA__S3_BUCKET", "- name: MOORING_MEDIA__MAX_BYTES", "where media lie"),
    "a selector that grows": ("templates/_names.tpl", "app.kubernetes.io/component: {{ .component }}\n{{- end }}",
                              "app.kubernetes.io/component: {{ .component }}\nhelm.sh/chart: x\n{{- end }}", "selectors are the three"),
    "a missing label": ("templates/_names.tpl", "app.kubernetes.io/part-of: mooring", "part-of: mooring", "labels and names"),
    "no hook": ("templates/migrate.yaml", '"helm.sh/hook" "pre-install,pre-upgrade"', '"helm.sh/hook" "post-install"', "migration hook"),
    "an account that comes too late": ("templates/migrate.yaml", 'serviceAccountName: {{ include "mooring.migrateServiceAccountName" . }}',
                                       'serviceAccountName: {{ include "mooring.serviceAccountName" . }}', "migration hook"),
    "a network policy that comes too late": ("templates/migrate.yaml", '"annotations" $early', '"annotations" (dict)', "migration hook"),
    "a hook that stays": ("templates/migrate.yaml", "before-hook-creation,", "", "migration hook"),
    "the tag wins over the digest": ("templates/_names.tpl", "{{- if .Values.image.digest }}", "{{- if false }}", "image and entry point"),
    "a shell in front": ("templates/_workload.tpl", "          args: {{ toJson .args }}", "          command: [sh, -c]\n          args: {{ toJson .args }}", "image and entry point"),
    "the wrong lanes": ("templates/workers.yaml", '(join "," .lanes)', '(first .lanes)', "the workloads and their arguments"),
    "an open admin port": ("templates/gateway.yaml", "targetPort: http,", "targetPort: admin,", "services"),
    "a monitor of the wrong port": ("templates/monitors.yaml", "podMetricsEndpoints:\n    - port: admin", "podMetricsEndpoints:\n    - port: http", "monitors"),
    "a monitor that misses workers": ("templates/monitors.yaml", '(printf "worker-%s" .name)', '(printf "workers-%s" .name)', "monitors"),
    "an account with its token": ("templates/serviceaccount.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "nothing may call"),
    "a schema that takes anything": ("values.schema.json", '"additionalProperties": false,\n  "required": ["image"', '"required": ["image"', "refused: an unknown key at the top"),
    "a pool schema that takes zero": ("values.schema.json", '"replicas": {"type": "integer", "minimum": 1,', '"replicas": {"type": "integer", "minimum": 0,', "refused: a pool that scales to zero"),
    "a README that is behind": ("values.yaml", "port: 5432", "port: 5433", "README"),
    "a value without a description": ("values.yaml", "  # -- Scrape interval.\n", "", "README"),
}


def run(root, chart):
    done = subprocess.run([f"{root}/dev/helm-check"], env={**os.environ, "HELM_CHECK_CHART": str(chart)}, capture_output=True, text=True)
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("FAIL ")]


def plant(root, title):
    name, old, new, expected = FAULTS[title]
    with tempfile.TemporaryDirectory() as folder:
        chart = pathlib.Path(folder) / "mooring"
        shutil.copytree(f"{root}/helm/mooring", chart)
        path = chart / name
        text = path.read_text()
        if old not in text:
            return title, f"cannot be planted any more: {name} has no {old!r}"
        path.write_text(text.replace(old, new))
        status, failures = run(root, chart)
        if status == 0:
            return title, "left the check green"
        if not any(expected in line for line in failures):
            return title, f"was found, but not by {expected!r}: {failures}"
        return title, ""


def main(root):
    status, failures = run(root, f"{root}/helm/mooring")
    if status:
        sys.exit(f"helm-check: the chart is red before any fault is planted: {failures}")
    holes = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for title, problem in pool.map(lambda t: plant(root, t), FAULTS):
            holes += bool(problem)
            print(f"FAIL {title}: {problem}" if problem else f"red  {title}", flush=True)
    print(f"helm-check: {len(FAULTS) - holes} faults found, {holes} not")
    sys.exit(1 if holes else 0)


if __name__ == "__main__":
    main(sys.argv[1])
