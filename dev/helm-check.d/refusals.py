"""Values that must be refused, with a message that says what is wrong; and a few that must be taken.

usage: refusals.py CHART HELM
"""
import json
import subprocess
import sys

from report import say

POOL = {
    "name": "all", "lanes": ["check", "refresh", "publish", "verify", "house"], "replicas": 1, "slots": {"publish": 8}, "drainSeconds": 60,
    "autoscaling": {"minReplicas": 1, "maxReplicas": 2, "targetBacklog": 16},
    "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
}


def pools(**change):
    return {"workers.pools": [{**POOL, **change}]}


def without(key):
    return {"workers.pools": [{k: v for k, v in POOL.items() if k != key}]}


# Title: (values, what the message must contain)
REFUSED = {
    "an unknown key at the top": ({"replicaCount": 3}, "'replicaCount'"),
    "an unknown key inside": ({"gateway.replica": 3}, "'replica'"),
    "an unknown key in a pool": (pools(lane="publish"), "'lane'"),
    "replicas as text": ({"scheduler.replicas": "two"}, "/scheduler/replicas"),
    "no scheduler": ({"scheduler.replicas": 0}, "/scheduler/replicas"),
    "a pool that scales to zero": (pools(autoscaling={"minReplicas": 0, "maxReplicas": 2, "targetBacklog": 1}), "minReplicas"),
    "a pool without a target": (pools(autoscaling={"minReplicas": 1, "maxReplicas": 2}), "targetBacklog"),
    "a target of zero": (pools(autoscaling={"minReplicas": 1, "maxReplicas": 2, "targetBacklog": 0}), "targetBacklog"),
    "a minimum above the maximum": (pools(autoscaling={"minReplicas": 3, "maxReplicas": 2, "targetBacklog": 1}), "above autoscaling.maxReplicas"),
    "an unknown lane": (pools(lanes=["publish", "post"]), "/workers/pools/0/lanes/1"),
    "no lane": (pools(lanes=[]), "/workers/pools/0/lanes"),
    "a lane nobody serves": (pools(lanes=["check", "refresh", "publish", "verify"]), 'no pool serves the lane "house"'),
    "two pools of one name": ({"workers.pools": [POOL, POOL]}, "two pools are named"),
    "no pools": ({"workers.pools": []}, "/workers/pools"),
    "a pool name that is too long": (pools(name="a-very-long-pool-name"), "/workers/pools/0/name"),
    "a pool without a drain time": (without("drainSeconds"), "drainSeconds"),
    "a drain time of zero": (pools(drainSeconds=0), "drainSeconds"),
    "slots as a fraction": (pools(slots={"publish": 1.5}), "/workers/pools/0/slots/publish"),
    "no slots": (pools(slots={"publish": 0}), "/workers/pools/0/slots/publish"),
    "slots of an unknown lane": (pools(slots={"post": 4}), "'post'"),
    "slots of a lane that is not served": ({"workers.pools": [POOL, {**POOL, "name": "two", "lanes": ["check"]}]}, "which it does not serve"),
    "no memory limit": (pools(resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {}}), "memory"),
    "a quantity that is none": (pools(resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1 GB"}}), "memory"),
    "no image": ({"image.repository": ""}, "image.repository is required"),
    "a short digest": ({"image.digest": "sha256:abc"}, "/image/digest"),
    "a digest in the tag": ({"image.tag": "1@sha256:abc"}, "/image/tag"),
    "an unknown pull policy": ({"image.pullPolicy": "always"}, "/image/pullPolicy"),
    "a database URL instead of a Secret": ({"secrets.database.url": "postgres://u:p@h/d"}, "'url'"),
    "a Secret without a name": ({"secrets.redis.existingSecret": ""}, "/secrets/redis/existingSecret"),
    "a setting that is not ours": ({"config": {"RUST_LOG": "debug"}}, "RUST_LOG"),
    "a secret among the settings": ({"config": {"MOORING_MAIL__PASSWORD": "x"}}, "MOORING_MAIL__PASSWORD"),
    "a database URL among the settings": ({"config": {"MOORING_DATABASE__URL": "x"}}, "MOORING_DATABASE__URL"),
    "a password inside a setting": ({"config": {"MOORING_HTTP__PROXY": "http://u:p@proxy"}}, "MOORING_HTTP__PROXY"),
    "a setting the chart owns": ({"config": {"MOORING_ADMIN__BIND": "0.0.0.0:1"}}, "MOORING_ADMIN__BIND"),
    "slots among the settings": ({"config": {"MOORING_WORKER__SLOTS__PUBLISH": "1"}}, "MOORING_WORKER__SLOTS__PUBLISH"),
    "the clock of the tests": ({"config": {"MOORING_CLOCK_FILE": "/clock"}}, "MOORING_CLOCK_FILE"),
    "a setting that is a number": ({"config": {"MOORING_POLICY__FRESHNESS_S": 1000000}}, "MOORING_POLICY__FRESHNESS_S"),
    "a collector with a password": ({"telemetry.otlpEndpoint": "http://u:p@collector:4317"}, "/telemetry/otlpEndpoint"),
    "a collector that is no URL": ({"telemetry.otlpEndpoint": "collector"}, "/telemetry/otlpEndpoint"),
    "a bucket that is none": ({"media.bucket": "No Bucket"}, "/media/bucket"),
    "a bucket's server with a password": ({"media.endpoint": "https://u:p@s3.example.com"}, "/media/endpoint"),
    "addresses of media without TLS": ({"media.publicUrl": "http://mooring.example.com"}, "/media/publicUrl"),
    "addresses of media without media": ({"media.publicUrl": "https://mooring.example.com"}, "name a bucket"),
    "a bucket among the settings": ({"config": {"MOORING_MEDIA__S3_BUCKET": "media"}}, "MOORING_MEDIA__S3_BUCKET"),
    "a port out of range": ({"gateway.service.port": 70000}, "/gateway/service/port"),
    "an unknown kind of Service": ({"gateway.service.type": "ExternalName"}, "/gateway/service/type"),
    "private ranges left open": ({"networkPolicy.https.except": []}, "/networkPolicy/https/except"),
    "a peer with a typing error": ({"networkPolicy.redis.to": [{"podSelektor": {}}]}, "'podSelektor'"),
    "a budget that blocks every drain": ({"podDisruptionBudget.maxUnavailable": 0}, "/podDisruptionBudget/maxUnavailable"),
    "a pod label that is ours": ({"podLabels": {"app.kubernetes.io/name": "x"}}, "app.kubernetes.io/name"),
    "a toleration with a typing error": ({"tolerations": [{"effekt": "NoSchedule"}]}, "'effekt'"),
}
TAKEN = {
    "one pool for all lanes": pools(),
    "a bucket for media": {"media.bucket": "mooring-media"},
    "a setting of the program": {"config": {"MOORING_DATABASE__MAX_CONNECTIONS": "8"}},
    "no scrapers and nobody at the admin port": {"networkPolicy.monitoring.from": []},
    "addresses of version 6": {"bindAddress": "[::]"},
    "a budget in pods": {"podDisruptionBudget.maxUnavailable": 2},
}


def render(chart, helm, values):
    sets = [part for key, value in values.items() for part in ("--set-json", f"{key}={json.dumps(value)}")]
    command = [helm, "template", "moor", chart, "-f", f"{chart}/ci/minimal-values.yaml", *sets]
    return subprocess.run(command, capture_output=True, text=True)


def main(chart, helm):
    for title, (values, message) in REFUSED.items():
        result = render(chart, helm, values)
        problems = []
        if result.returncode == 0:
            problems = ["was taken"]
        elif message not in result.stderr:
            problems = [f"the message does not name {message!r}: {result.stderr.strip()[-300:]}"]
        say(f"refused: {title}", problems)
    for title, values in TAKEN.items():
        result = render(chart, helm, values)
        say(f"taken: {title}", [result.stderr.strip()[-300:]] if result.returncode else [])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
