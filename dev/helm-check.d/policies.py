"""What every rendered chart must keep, whatever its values. Each function is one promise and returns its breaches.

usage: policies.py CHART CARGO_TOML RENDERED...   (RENDERED is named after its file in ci/)
"""
import pathlib
import re
import sys
import tomllib

import yaml

import autoscaling
import network
import pods
from cluster import Cluster
from report import merged, say

LANES = {"check", "refresh", "publish", "verify", "house"}
LABELS = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component", "version", "part-of", "managed-by")}
# A Deployment's selector cannot be changed after it was created, so this set is for ever.
SELECTOR = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component")}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEYS?$|(?<!PUBLIC_)URL$")


def labels_and_names(c):
    for o in c.objects:
        where = c.name(o)
        missing = LABELS - set(o["metadata"].get("labels", {}))
        if missing:
            yield f"{where} lacks the labels {sorted(missing)}"
        if len(o["metadata"]["name"]) > 63:
            yield f"{where} has a name of more than 63 characters"
    for o, template in c.templates:
        missing = LABELS - set(template["metadata"]["labels"])
        if missing:
            yield f"the pods of {c.name(o)} lack the labels {sorted(missing)}"


def selectors(c):
    for o in c.deployments:
        selector = o["spec"]["selector"]["matchLabels"]
        if set(selector) != SELECTOR:
            yield f"{c.name(o)} selects by {sorted(selector)}, and a selector cannot change"
        found = [c.name(other) for other, _ in c.selected(o["spec"]["selector"])]
        if found != [c.name(o)]:
            yield f"{c.name(o)} selects the pods of {found}"


def no_secret_literals(c):
    for o in c.of("Secret"):
        yield f"{c.name(o)}: the chart makes a Secret"
    if re.search(r"://[^/\s\"']*:[^/\s\"']*@", c.text):
        yield "a URL with a password is in the rendered text"
    for o, template in c.templates:
        for container in pods.containers(template):
            if container.get("envFrom"):
                yield f"{c.name(o)} takes its environment from a whole object"
            for entry in container.get("env", []):
                name = entry["name"]
                if "secretKeyRef" in entry.get("valueFrom", {}):
                    yield f"{c.name(o)}: {name} puts a secret into the environment instead of a file"
                if "value" in entry and SECRET_NAME.search(name):
                    yield f"{c.name(o)}: {name} is a literal"
                if name.endswith("_FILE") and entry.get("value") not in pods.secret_files(template, container):
                    yield f"{c.name(o)}: {name} points to {entry.get('value')}, which is not mounted"


def least_secrets(c):
    """Only workers and gateways can unseal tokens and sign addresses, and the migration sees only the database."""
    media = {"media"} if c.values["media"]["publicUrl"] else set()
    both = {"database", "redis", "vault"} | media
    allowed = {"worker": both, "gateway": both, "migrate": {"database"}}
    for o, template in c.templates:
        role = c.role(template)
        sections = {e["name"].split("__")[0].removeprefix("MOORING_").lower()
                    for e in template["spec"]["containers"][0]["env"] if e["name"].endswith("_FILE")}
        if sections != allowed.get(role, {"database", "redis"}):
            yield f"{c.name(o)} reads the secrets {sorted(sections)}"
        paths = set(pods.secret_files(template, template["spec"]["containers"][0]))
        used = {e.get("value") for e in template["spec"]["containers"][0]["env"] if e["name"].endswith("_FILE")}
        if paths != used:
            yield f"{c.name(o)} mounts {sorted(paths - used)} without reading it"


def media(c):
    """Whoever stores, sends or serves media is told the same place, and nobody else is."""
    wanted = {f"MOORING_MEDIA__S3_{key.upper()}": value
              for key, value in c.values["media"].items() if key != "publicUrl" and value and c.values["media"]["bucket"]}
    if c.values["media"]["publicUrl"]:
        wanted["MOORING_MEDIA__PUBLIC_URL"] = c.values["media"]["publicUrl"]
    for o, template in c.templates:
        told = {k: v for k, v in pods.env(template).items() if k.startswith("MOORING_MEDIA__") and not k.endswith("_FILE")}
        expected = wanted if c.role(template) in ("gateway", "worker") else {}
        if told != expected:
            yield f"{c.name(o)} is told {told}, not {expected}"


def grace_is_derived(c):
    drains = {"scheduler": c.values["scheduler"]["drainSeconds"], "gateway": c.values["gateway"]["drainSeconds"]}
    for pool in c.values["workers"]["pools"]:
        drains[f"worker-{pool['name']}"] = pool["drainSeconds"]
    for o, template in c.running:
        component = template["metadata"]["labels"]["app.kubernetes.io/component"]
        expected = drains[component] + 5 + 5 + 20
        grace = template["spec"].get("terminationGracePeriodSeconds")
        if grace != expected:
            yield f"{c.name(o)} has {grace} s of grace, not {expected}"
        told = pods.env(template).get("MOORING_WORKER__DRAIN_S")
        if told != str(drains[component]):
            yield f"{c.name(o)} is told to drain {told} s, not {drains[component]}"
        pause = template["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause > 5:
            yield f"{c.name(o)} sleeps {pause} s before it stops, more than the 5 s in its grace"


def workloads(c):
    wanted = {"scheduler": ["scheduler"], "gateway": ["gateway"]}
    served = set()
    for pool in c.values["workers"]["pools"]:
        wanted[f"worker-{pool['name']}"] = ["worker", "--lanes", ",".join(pool["lanes"])]
        served |= set(pool["lanes"])
        slots = {f"MOORING_WORKER__SLOTS__{lane.upper()}": str(count) for lane, count in pool["slots"].items()}
        for o, template in c.running:
            told = {k: v for k, v in pods.env(template).items() if k.startswith("MOORING_WORKER__SLOTS")}
            if template["metadata"]["labels"]["app.kubernetes.io/component"] == f"worker-{pool['name']}" and told != slots:
                yield f"{c.name(o)} is told {told}, not {slots}"
    if served != LANES:
        yield f"the lanes {sorted(LANES - served)} have no worker"
    found = {t["metadata"]["labels"]["app.kubernetes.io/component"]: t["spec"]["containers"][0].get("args") for _, t in c.running}
    if found != wanted:
        yield f"the workloads are {found}, not {wanted}"


def probes(c):
    wanted = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for o, template in c.running:
        container = template["spec"]["containers"][0]
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        if ports.get("admin") != 9464 or not pods.env(template).get("MOORING_ADMIN__BIND", "").endswith(":9464"):
            yield f"{c.name(o)} has no admin port 9464"
        for probe, path in wanted.items():
            get = container.get(probe, {}).get("httpGet", {})
            if (get.get("path"), get.get("port")) != (path, "admin"):
                yield f"{c.name(o)}: {probe} asks {get}"
        live = container.get("livenessProbe", {})
        if live.get("periodSeconds", 10) * live.get("failureThreshold", 3) < 60:
            yield f"{c.name(o)} is restarted after less than 60 s of silence"


def disruption_budgets(c):
    for o, template in c.running:
        budgets = [b for b in c.of("PodDisruptionBudget") if c.selects(b["spec"]["selector"], template)]
        if len(budgets) != 1:
            yield f"{c.name(o)} has {len(budgets)} disruption budgets"
        for budget in budgets:
            if budget["spec"].get("maxUnavailable") in (None, 0, "0%"):
                yield f"{c.name(budget)} lets no node be drained"
            if budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
                yield f"{c.name(budget)} protects pods that are not ready"


def spread(c):
    for o, template in c.running:
        constraints = template["spec"].get("topologySpreadConstraints", [])
        keys = {s["topologyKey"] for s in constraints if c.selects(s["labelSelector"], template)}
        if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{c.name(o)} is spread over {sorted(keys)}"


def migration_hook(c):
    jobs = c.of("Job")
    if len(jobs) != (1 if c.values["migrations"]["enabled"] else 0):
        yield f"there are {len(jobs)} jobs"
    for job in jobs:
        template = job["spec"]["template"]["spec"]
        if template["containers"][0].get("args") != ["migrate", "up"]:
            yield "the job does not run `migrate up`"
        if job["metadata"].get("annotations", {}).get("helm.sh/hook") != "pre-install,pre-upgrade":
            yield "the job is not a pre-install,pre-upgrade hook"
        created = {a["metadata"]["name"]: a for a in c.of("ServiceAccount")}
        needs = [a for name, a in created.items() if name == template["serviceAccountName"]]
        needs += [p for p in c.of("NetworkPolicy") if c.selects(p["spec"]["podSelector"], job["spec"]["template"])]
        for need in needs:
            notes = need["metadata"].get("annotations", {})
            if notes.get("helm.sh/hook") != "pre-install,pre-upgrade" or int(notes.get("helm.sh/hook-weight", 0)) >= 0:
                yield f"{c.name(need)} does not exist yet when the job runs"
    for o in c.objects:
        notes = o["metadata"].get("annotations", {})
        if "helm.sh/hook" in notes and "before-hook-creation" not in notes.get("helm.sh/hook-delete-policy", ""):
            yield f"{c.name(o)}: the next upgrade would fail, its old copy is not removed"


def image(c):
    wanted = c.values["image"]
    ending = f"@{wanted['digest']}" if wanted["digest"] else f":{wanted['tag'] or c.app_version}"
    for o, template in c.templates:
        for container in pods.containers(template):
            if container["image"] != wanted["repository"] + ending:
                yield f"{c.name(o)} runs {container['image']}"
            if "command" in container:
                yield f"{c.name(o)} replaces the program, so signals may not arrive"


def no_api_access(c):
    for o in c.objects:
        if o["kind"] in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
            yield f"{c.name(o)}: nothing in Mooring calls the Kubernetes API"
        if o["kind"] == "ServiceAccount" and o.get("automountServiceAccountToken") is not False:
            yield f"{c.name(o)} mounts its token"


def services(c):
    for service in c.of("Service"):
        targets = c.selected({"matchLabels": service["spec"]["selector"]})
        if len(targets) != 1:
            yield f"{c.name(service)} selects {len(targets)} workloads"
        for _, template in targets:
            ports = {p["name"] for p in template["spec"]["containers"][0]["ports"]}
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in ports:
                    yield f"{c.name(service)} points to the port {port['targetPort']}, which no pod has"
        names = {p["targetPort"] for p in service["spec"]["ports"]}
        if "admin" in names and (service["spec"]["type"] != "ClusterIP" or len(names) > 1):
            yield f"{c.name(service)} may show the admin port to the outside"


PROMISES = {
    "labels and names": labels_and_names,
    "selectors are the three for ever, and tell workloads apart": selectors,
    "the workloads and their arguments; every lane is served": workloads,
    "pods are restricted, the hook too": pods.restricted,
    "requests, memory limit, no CPU limit": pods.resources,
    "no secret as a literal, files are mounted": no_secret_literals,
    "each role reads only its secrets": least_secrets,
    "nothing may call the Kubernetes API": no_api_access,
    "where media lie": media,
    "grace = drain + 5 + 5 + 20": grace_is_derived,
    "probes on the admin port": probes,
    "disruption budgets": disruption_budgets,
    "spread over zones and nodes": spread,
    "the migration hook and what it needs": migration_hook,
    "image and entry point": image,
    "services": services,
    "network policies": network.policies,
    "replicas are absent exactly when autoscaled": autoscaling.replicas,
    "scaled objects": autoscaling.scaled_objects,
    "monitors": network.monitors,
}


def main(chart, cargo, rendered):
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    version = tomllib.loads(cargo.read_text())["workspace"]["package"]["version"]
    say("the chart names the program's version", [] if about["appVersion"] == version else [f"{about['appVersion']}, not {version}"])
    for path in rendered:
        over = yaml.safe_load((chart / "ci" / f"{path.stem}-values.yaml").read_text())
        cluster = Cluster(path.read_text(), merged(defaults, over), about["appVersion"])
        for name, promise in PROMISES.items():
            say(f"{path.stem}: {name}", list(promise(cluster)))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), [pathlib.Path(p) for p in sys.argv[3:]])
