"""Promises about autoscaling. Kubernetes does not know ScaledObject, so its shape (KEDA 2.20) is written down here.

Source: kedacore/keda apis/keda/v1alpha1/scaledobject_types.go and pkg/scalers/metrics_api_scaler.go.
"""
import urllib.parse

POLICY = {"type": str, "value": int, "periodSeconds": int}
RULES = {"stabilizationWindowSeconds": int, "policies": [POLICY], "selectPolicy": str}
SHAPE = {
    "scaleTargetRef": {"apiVersion": str, "kind": str, "name": str, "envSourceContainerName": str},
    "pollingInterval": int,
    "cooldownPeriod": int,
    "initialCooldownPeriod": int,
    "minReplicaCount": int,
    "maxReplicaCount": int,
    "fallback": {"failureThreshold": int, "replicas": int, "behavior": str},
    "advanced": {
        "restoreToOriginalReplicaCount": bool,
        "horizontalPodAutoscalerConfig": {"name": str, "behavior": {"scaleUp": RULES, "scaleDown": RULES}},
    },
    "triggers": [{
        "type": str, "name": str, "metricType": str, "useCachedMetrics": bool,
        "metadata": {"url": str, "format": str, "valueLocation": str, "targetValue": str, "activationTargetValue": str},
    }],
}


def misfits(value, shape, path):
    """Keys that KEDA does not know and values of a wrong type, which its API would drop or refuse."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{path} is not a map"
            return
        for key, inner in value.items():
            if key not in shape:
                yield f"{path}.{key} is unknown"
            else:
                yield from misfits(inner, shape[key], f"{path}.{key}")
    elif isinstance(shape, list):
        for index, inner in enumerate(value if isinstance(value, list) else [value]):
            yield from misfits(inner, shape[0], f"{path}[{index}]")
    elif type(value) is not shape:
        yield f"{path} is {value!r}, not {shape.__name__}"


def replicas(c):
    scaled = {o["spec"]["scaleTargetRef"]["name"] for o in c.of("ScaledObject")}
    counts = {"scheduler": c.values["scheduler"]["replicas"], "gateway": c.values["gateway"]["replicas"]}
    for pool in c.values["workers"]["pools"]:
        counts[f"worker-{pool['name']}"] = pool["replicas"]
    for o, template in c.running:
        wanted = None if o["metadata"]["name"] in scaled else counts[template["metadata"]["labels"]["app.kubernetes.io/component"]]
        if o["spec"].get("replicas") != wanted:
            yield f"{c.name(o)} has replicas {o['spec'].get('replicas')}, not {wanted}"


def scaled_objects(c):
    found = {o["spec"]["scaleTargetRef"]["name"]: o for o in c.of("ScaledObject")}
    workers = {o["metadata"]["name"]: t for o, t in c.running if c.role(t) == "worker"}
    wanted = set(workers) if c.values["autoscaling"]["enabled"] else set()
    if set(found) != wanted or len(found) != len(c.of("ScaledObject")):
        yield f"scaled are {sorted(found)}, not {sorted(wanted)}"
    for name, o in found.items():
        spec = o["spec"]
        yield from (f"{c.name(o)}: {problem}" for problem in misfits(spec, SHAPE, "spec"))
        least, most, fallback = spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 0), spec.get("fallback", {})
        if not 1 <= least <= most:
            yield f"{c.name(o)} scales between {least} and {most}"
        if fallback.get("behavior") != "currentReplicasIfHigher" or fallback.get("replicas", 0) < least or "failureThreshold" not in fallback:
            yield f"{c.name(o)} would lose workers when the backlog cannot be read: {fallback}"
        if name in workers:
            yield from triggers(c, o, workers[name])


def triggers(c, o, template):
    lanes = template["spec"]["containers"][0]["args"][-1].split(",")
    asked = []
    for trigger in o["spec"]["triggers"]:
        metadata = trigger["metadata"]
        url = urllib.parse.urlsplit(metadata["url"])
        service = (url.hostname or "").split(".")[0]
        ports = [p["port"] for s in c.of("Service") if s["metadata"]["name"] == service for p in s["spec"]["ports"]]
        if url.path != "/internal/scale" or url.port not in ports or not url.hostname.endswith(".social.svc"):
            yield f"{c.name(o)} asks {metadata['url']}, which no Service answers"
        asked += urllib.parse.parse_qs(url.query).get("lane", [])
        if trigger["type"] != "metrics-api" or trigger.get("metricType") != "AverageValue" or metadata.get("valueLocation") != "backlog":
            yield f"{c.name(o)} has the trigger {trigger}"
        if not int(metadata.get("targetValue", "0")) > 0:
            yield f"{c.name(o)} aims at {metadata.get('targetValue')}"
    if asked != lanes:
        yield f"{c.name(o)} looks at the lanes {asked}, its workers serve {lanes}"
