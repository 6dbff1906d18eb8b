"""Promises about who may talk to whom, and about what scrapes the metrics."""
PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}
PRIVATE6 = {"fc00::/7", "fe80::/10"}


def policies(c):
    found = c.of("NetworkPolicy")
    if not c.values["networkPolicy"]["enabled"]:
        if found:
            yield f"{len(found)} policies although they are off"
        return
    for o, template in c.templates:
        own = [p for p in found if c.selects(p["spec"]["podSelector"], template)]
        if len(own) != 1 or sorted(own[0]["spec"].get("policyTypes", [])) != ["Egress", "Ingress"]:
            yield f"{c.name(o)} is not denied by default in both directions"
            continue
        yield from ingress(c, own[0]["spec"].get("ingress") or [], c.role(template), c.name(o))
        yield from egress(c, own[0]["spec"].get("egress") or [], c.role(template), c.name(o))


def ingress(c, rules, role, where):
    allowed = {"gateway": {"admin", "http"}, "migrate": set()}.get(role, {"admin"})
    reached = set()
    for rule in rules:
        ports = {p.get("port") for p in rule.get("ports", [])}
        reached |= ports
        if not ports or not ports <= allowed:
            yield f"{where} takes traffic on {ports or 'every port'}"
        if "admin" in ports and not rule.get("from"):
            yield f"{where}: everyone may reach the admin port"
        if role == "gateway" and "admin" in ports and c.values["autoscaling"]["enabled"]:
            if not all(peer in rule["from"] for peer in c.values["networkPolicy"]["keda"]["from"]):
                yield f"{where}: the autoscaler may not read the backlog"
    if reached != allowed:
        yield f"{where} takes traffic on {sorted(reached)}, not on {sorted(allowed)}"


def egress(c, rules, role, where):
    np = c.values["networkPolicy"]
    allowed = {53, np["database"]["port"]}
    if role != "migrate":
        allowed.add(np["redis"]["port"])
    if c.values["telemetry"]["otlpEndpoint"]:
        allowed.add(np["otlp"]["port"])
    if role in ("worker", "gateway"):
        if c.values["media"]["bucket"] and np["media"]["to"]:
            allowed.add(np["media"]["port"])
        allowed.add(443)
        allowed |= {p["port"] for rule in np["workerExtraEgress"] for p in rule["ports"]}
    reached = set()
    for rule in rules:
        ports = {p.get("port") for p in rule.get("ports", [])}
        reached |= ports or {"every port"}
        if 443 in ports and rule not in np["workerExtraEgress"] and rule.get("to") != np["media"]["to"]:
            yield from public_only(rule, where)
    if reached != allowed:
        yield f"{where} may reach the ports {reached}, not {allowed}"


def public_only(rule, where):
    blocks = {peer.get("ipBlock", {}).get("cidr"): set(peer.get("ipBlock", {}).get("except", [])) for peer in rule.get("to", [])}
    if set(blocks) != {"0.0.0.0/0", "::/0"}:
        yield f"{where}: port 443 goes to {sorted(map(str, blocks))}"
    elif not (PRIVATE <= blocks["0.0.0.0/0"] and PRIVATE6 <= blocks["::/0"]):
        yield f"{where}: port 443 reaches private addresses"


def monitors(c):
    pod, service = c.of("PodMonitor"), c.of("ServiceMonitor")
    wanted = 1 if c.values["monitoring"]["enabled"] else 0
    if (len(pod), len(service)) != (wanted, wanted):
        yield f"{len(pod)} pod monitors and {len(service)} service monitors"
    scraped = []
    for monitor in pod:
        yield from endpoints(c, monitor, "podMetricsEndpoints")
        scraped += [c.name(o) for o, _ in c.selected(monitor["spec"]["selector"])]
    for monitor in service:
        yield from endpoints(c, monitor, "endpoints")
        for s in c.of("Service"):
            if c.selects(monitor["spec"]["selector"], {"metadata": s["metadata"]}):
                if [p["name"] for p in s["spec"]["ports"]] != ["admin"]:
                    yield f"{c.name(monitor)} scrapes {c.name(s)}"
                scraped += [c.name(o) for o, _ in c.selected({"matchLabels": s["spec"]["selector"]})]
    if wanted and sorted(scraped) != sorted(c.name(o) for o, _ in c.running):
        yield f"scraped are {sorted(scraped)}"


def endpoints(c, monitor, key):
    if set(monitor["spec"]) != {"selector", key}:
        yield f"{c.name(monitor)} has the keys {sorted(monitor['spec'])}"
    for endpoint in monitor["spec"].get(key, []):
        if set(endpoint) != {"port", "path", "interval"} or (endpoint["port"], endpoint["path"]) != ("admin", "/metrics"):
            yield f"{c.name(monitor)} scrapes {endpoint}"
        if not all(isinstance(value, str) for value in endpoint.values()):
            yield f"{c.name(monitor)} has a value that is not text"
