"""Promises about single pods: the Pod Security Standard `restricted`, and what we add to it."""

# https://kubernetes.io/docs/concepts/security/pod-security-standards/ (restricted)
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def containers(template):
    spec = template["spec"]
    return spec.get("initContainers", []) + spec["containers"] + spec.get("ephemeralContainers", [])


def env(template):
    return {e["name"]: e.get("value") for e in template["spec"]["containers"][0].get("env", [])}


def secret_files(template, container):
    """Paths at which this container finds secrets."""
    mounts = {m["name"]: m["mountPath"] for m in container.get("volumeMounts", [])}
    for volume in template["spec"].get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            for item in source.get("secret", {}).get("items", []):
                if volume["name"] in mounts:
                    yield f"{mounts[volume['name']]}/{item['path']}"


def restricted(c):
    for o, template in c.templates:
        spec, where = template["spec"], c.name(o)
        pod = spec.get("securityContext", {})
        for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            if spec.get(key):
                yield f"{where}: {key}"
        if pod.get("sysctls") or pod.get("seLinuxOptions"):
            yield f"{where}: sysctls or seLinuxOptions"
        for volume in spec.get("volumes", []):
            if not set(volume) - {"name"} <= VOLUMES:
                yield f"{where}: volume {sorted(volume)}"
        if pod.get("runAsUser") != 65532 or pod.get("fsGroup") != 65532:
            yield f"{where}: the user or file group is not 65532"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{where}: a service account token is mounted"
        if spec.get("enableServiceLinks") is not False:
            yield f"{where}: service links are on"
        for container in containers(template):
            yield from restricted_container(where, pod, container)


def restricted_container(where, pod, container):
    own = container.get("securityContext", {})
    if own.get("privileged") or own.get("procMount", "Default") != "Default":
        yield f"{where}: privileged or procMount"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{where}: privilege escalation is allowed"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or capabilities.get("add"):
        yield f"{where}: capabilities {capabilities}"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True or own.get("runAsUser", 1) == 0:
        yield f"{where}: may run as root"
    if own.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
        yield f"{where}: no seccomp profile"
    if own.get("readOnlyRootFilesystem") is not True:
        yield f"{where}: the root file system can be written"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield f"{where}: a host port"


def resources(c):
    for o, template in c.templates:
        for container in containers(template):
            amounts = container.get("resources", {})
            requests, limits = amounts.get("requests", {}), amounts.get("limits", {})
            if not {"cpu", "memory", "ephemeral-storage"} <= set(requests):
                yield f"{c.name(o)} requests only {sorted(requests)}"
            if not {"memory", "ephemeral-storage"} <= set(limits):
                yield f"{c.name(o)} limits only {sorted(limits)}"
            if "cpu" in limits:
                yield f"{c.name(o)} has a CPU limit, which throttles leases and heartbeats"
            if requests.get("memory") != limits.get("memory"):
                yield f"{c.name(o)} requests less memory than its limit"
