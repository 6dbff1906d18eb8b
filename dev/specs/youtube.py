#!/usr/bin/env python3
# The discovery document of the YouTube Data API judges a recording: what was sent, what was answered.
# needs: google-api-python-client==2.202.0
# usage: youtube.py RECORDING [RECORDING ...]    (files written with MOORING_SIM_RECORD)
#
# Judged of each exchange: method and path, query parameters, body, answer. A request that was
# answered with 400 or 404 is not judged (tests send wrong ones on purpose); HTML is not (faults).
import collections
import datetime
import json
import os
import sys
import urllib.parse

import googleapiclient

# Paths of Google's other hosts and of the hub; no discovery document describes them.
ELSEWHERE = {"/o/oauth2/v2/auth", "/token", "/revoke", "/tokeninfo", "/subscribe"}
# Parameters of the upload protocol.
UPLOAD = {"uploadType", "upload_id"}
# A recording without these has seen too little to be a judgement.
EXPECTED = {"youtube.channels.list", "youtube.videos.insert", "youtube.videos.list"}


def load():
    folder = os.path.dirname(googleapiclient.__file__)
    with open(f"{folder}/discovery_cache/documents/youtube.v3.json") as file:
        return json.load(file)


def methods_of(document):
    """Methods by (HTTP method, path); an upload has its paths, too."""
    found = {}

    def walk(resources):
        for resource in resources.values():
            for method in resource.get("methods", {}).values():
                verb = method["httpMethod"]
                found[verb, "/" + method["path"]] = (method, False)
                for protocol in method.get("mediaUpload", {}).get("protocols", {}).values():
                    for upload in (verb, "PUT"):
                        found[upload, protocol["path"]] = (method, True)
            walk(resource.get("resources", {}))

    walk(document["resources"])
    return found


class Judge:
    def __init__(self, document):
        self.schemas = document["schemas"]
        self.common = document["parameters"]
        self.methods = methods_of(document)
        self.judged = collections.Counter()
        self.faults = []

    def fault(self, place, text):
        self.faults.append(f"{place}: {text}")

    def exchange(self, line):
        verb, path, status = line["method"], line["path"], line["status"]
        place = f"{verb} {path}"
        if path in ELSEWHERE:
            return
        if (verb, path) not in self.methods:
            if status != 404:
                self.fault(place, "no such method in the discovery document")
            return
        method, is_upload = self.methods[verb, path]
        self.judged[method["id"]] += 1
        if status not in (400, 404):
            self.request(place, method, is_upload, line)
        body = line["response_body"]
        if status is None or not isinstance(body, dict) or "bytes" in body:
            return
        if status >= 400:
            self.error(place, status, body)
        elif "response" in method:
            self.value(f"{place} answer", body, {"$ref": method["response"]["$ref"]})

    def request(self, place, method, is_upload, line):
        query = urllib.parse.parse_qs(line["query"], keep_blank_values=True)
        continues = line["method"] == "PUT" and is_upload
        known = {**self.common, **method.get("parameters", {})}
        for name, values in query.items():
            if name in known:
                for value in values:
                    self.parameter(f"{place} ?{name}", value, known[name])
            elif not (is_upload and name in UPLOAD):
                self.fault(place, f"unknown parameter {name}")
        for name, parameter in method.get("parameters", {}).items():
            if parameter.get("required") and name not in query and not continues:
                self.fault(place, f"required parameter {name} is missing")
        body = line["request_body"]
        if continues:
            if "upload_id" not in query:
                self.fault(place, "a PUT without a session")
        elif "request" in method:
            self.value(f"{place} body", body or {}, {"$ref": method["request"]["$ref"]})
            if is_upload and query.get("uploadType") != ["resumable"]:
                self.fault(place, "no resumable upload")
        elif body is not None:
            self.fault(place, "a body where none belongs")

    def parameter(self, place, value, schema):
        values = value.split(",") if schema.get("repeated") else [value]
        for one in values:
            if "enum" in schema and one not in schema["enum"]:
                self.fault(place, f"{one!r} is none of {schema['enum']}")
            if schema["type"] == "boolean" and one not in ("true", "false"):
                self.fault(place, f"{one!r} is no boolean")
            if schema["type"] == "integer":
                low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", 2**32))
                if not one.isdigit() or not low <= int(one) <= high:
                    self.fault(place, f"{one!r} is no number from {low} to {high}")

    def error(self, place, status, body):
        error = body.get("error")
        # A fault "error although created" may put another status on the usual body.
        usual = isinstance(error, dict) and error.get("status") == "UNAVAILABLE"
        if not isinstance(error, dict) or (error.get("code") != status and not usual):
            return self.fault(place, f"an error without its code {status}: {body}")
        items = error.get("errors")
        if not isinstance(error.get("message"), str) or not isinstance(items, list) or not items:
            return self.fault(place, f"an error without message or errors: {body}")
        for item in items:
            if not {"domain", "reason", "message"} <= item.keys():
                self.fault(place, f"an error without domain, reason or message: {item}")

    def value(self, place, value, schema):
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if kind == "object":
            return self.object(place, value, schema)
        if kind == "array":
            if not isinstance(value, list):
                return self.fault(place, f"{value!r} is no array")
            for index, item in enumerate(value):
                self.value(f"{place}[{index}]", item, schema["items"])
            return None
        fits = {
            "string": lambda: isinstance(value, str),
            "boolean": lambda: isinstance(value, bool),
            "integer": lambda: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda: isinstance(value, (int, float)) and not isinstance(value, bool),
            "any": lambda: True,
        }
        if not fits[kind]():
            return self.fault(place, f"{value!r} is no {kind}")
        if "enum" in schema and value not in schema["enum"]:
            self.fault(place, f"{value!r} is none of {schema['enum']}")
        return self.format(place, value, schema.get("format"))

    def object(self, place, value, schema):
        if not isinstance(value, dict):
            return self.fault(place, f"{value!r} is no object")
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if name in known:
                self.value(f"{place}.{name}", item, known[name])
            elif rest:
                self.value(f"{place}.{name}", item, rest)
            else:
                self.fault(place, f"unknown property {name}")
        return None

    def format(self, place, value, kind):
        if kind in ("uint64", "int64", "uint32", "int32"):
            number = str(value)
            if not number.lstrip("-").isdigit() or (kind[0] == "u" and number[0] == "-"):
                self.fault(place, f"{value!r} is no {kind}")
        elif kind == "date-time":
            try:
                datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                self.fault(place, f"{value!r} is no time")


def main(paths):
    judge = Judge(load())
    lines = 0
    for path in paths:
        with open(path) as file:
            for line in file:
                exchange = json.loads(line)
                if exchange["site"] == "youtube":
                    lines += 1
                    judge.exchange(exchange)
    for fault in dict.fromkeys(judge.faults):
        print(f"FAILED {fault}")
    missing = EXPECTED - judge.judged.keys()
    for method in sorted(missing):
        print(f"FAILED the recording has no {method}")
    counts = ", ".join(f"{name.removeprefix('youtube.')} {n}" for name, n in sorted(judge.judged.items()))
    print(f"{lines} exchanges, {sum(judge.judged.values())} judged ({counts}), {len(judge.faults)} faults")
    return 1 if judge.faults or missing else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__ or "usage: youtube.py RECORDING [RECORDING ...]")
    sys.exit(main(sys.argv[1:]))
