"""A rendered chart as a set of objects that can be asked which pods a selector finds."""
import yaml


class Cluster:
    def __init__(self, text, values, app_version):
        self.text, self.values, self.app_version = text, values, app_version
        self.objects = [o for o in yaml.safe_load_all(text) if o]
        self.deployments = self.of("Deployment")
        self.templates = [(o, o["spec"]["template"]) for o in self.objects if o["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job")]
        self.running = [(o, t) for o, t in self.templates if o["kind"] != "Job"]

    def of(self, kind):
        return [o for o in self.objects if o["kind"] == kind]

    @staticmethod
    def name(o):
        return f"{o['kind']}/{o['metadata']['name']}"

    @staticmethod
    def role(template):
        return template["metadata"]["labels"]["app.kubernetes.io/component"].split("-")[0]

    @staticmethod
    def selects(selector, template):
        """Whether a label selector finds these pods. Only the operator In is used in the chart."""
        labels = template["metadata"]["labels"]
        for expression in selector.get("matchExpressions", []):
            if expression["operator"] != "In" or labels.get(expression["key"]) not in expression["values"]:
                return False
        return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())

    def selected(self, selector):
        return [(o, t) for o, t in self.templates if self.selects(selector, t)]
