#!/usr/bin/env python3
# needs: openapi-core==0.23.1
"""Holds a recording of the simulated X against X's own OpenAPI document.

    dev/specs/x.py OPENAPI.json RECORDING.jsonl

The simulator writes the recording when MOORING_SIM_RECORD names a file: one line per exchange, of its own tests (what
it answers) and of the adapter's (what we send). A request must fit the document; so must every answer. Where the
platform is known to differ from its own document, the difference stands in a list below, with its source.

An answer with an error status says that the request was not in order, so its request is not held against the document.
"""

import collections
import json
import sys
import urllib.parse

from jsonschema import Draft4Validator
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

SERVER = "https://api.x.com"

# Problems that X's documentation or other people's recordings show, and its OpenAPI document does not have.
DOCUMENTED_PROBLEMS = {
    "about:blank",  # docs, "Response codes and errors"
    "app-suspended",  # seen in recordings
    "client-forbidden",  # docs, "Response codes and errors"
    "credits",  # seen in recordings
    "unsupported-authentication",  # docs
    "usage-capped",  # docs, "Response codes and errors"
    "user-suspended",  # seen in recordings
}
# Names of the older generation, which the live API still takes and gives.
OLDER_NAMES = {"tweet.fields": "post.fields"}
OLDER_FIELDS = {
    "author_id": None,
    "edit_history_tweet_ids": None,
    "in_reply_to_user_id": None,
    "note_tweet": "note_post",
    "referenced_tweets": None,
}
# Members that answers are seen to have though the document forbids them.
UNDOCUMENTED_MEMBERS = {("processing_info", "error")}


class Request:
    """A recorded request in the form that openapi-core asks for."""

    def __init__(self, line):
        self.host_url = SERVER
        self.path = line["path"]
        self.method = line["method"].lower()
        sent = line["request_headers"]
        self.content_type = sent.get("content-type", "")
        body = line["request_body"]
        # Of a form with media only the size is recorded.
        self.has_form = self.content_type.startswith("multipart/")
        self.body = None if body is None or self.has_form else json.dumps(body).encode()
        query = urllib.parse.parse_qsl(line["query"], keep_blank_values=True)
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(newer_names(query)), header=Headers(list(sent.items())), cookie={}
        )


class Response:
    """A recorded answer, likewise."""

    def __init__(self, line, body):
        self.status_code = line["status"]
        self.content_type = content_type(line)
        self.headers = Headers(list(line["response_headers"].items()))
        self.data = json.dumps(body).encode()


def content_type(line):
    return line["response_headers"].get("content-type", "").split(";")[0]


def is_judged(line):
    """Calls of the API proper that X answered: no dropped connections, no pages of a broken proxy."""
    path = line["path"]
    is_api = line["site"] == "x" and path.startswith("/2/") and not path.startswith("/2/oauth2/")
    return is_api and line["status"] is not None and content_type(line).startswith("application/")


def newer_names(query):
    """The query with the names of the document's generation."""
    named = []
    for name, value in query:
        name = OLDER_NAMES.get(name, name)
        if name == "post.fields":
            fields = [OLDER_FIELDS.get(field, field) for field in value.split(",")]
            value = ",".join(dict.fromkeys(field for field in fields if field))
            if not value:
                continue
        named.append((name, value))
    return named


def without_undocumented(body):
    if isinstance(body, dict):
        for parent, member in UNDOCUMENTED_MEMBERS:
            if isinstance(body.get(parent), dict):
                body[parent].pop(member, None)
        return {key: without_undocumented(value) for key, value in body.items()}
    if isinstance(body, list):
        return [without_undocumented(one) for one in body]
    return body


def error_faults(answer, body, schemas):
    """What is wrong with an answer that tells of an error."""
    if content_type(answer) == "application/json":
        # The older, numbered shape: the members of the document's `Error`, inside a list.
        for one in body.get("errors", [{}]):
            for fault in Draft4Validator(schemas["Error"]).iter_errors(one):
                yield fault.message
        return
    kind = body.get("type", "").rsplit("/", 1)[-1]
    # A test may ask for another status than the body's.
    if kind != "about:blank" and body.get("status") != answer["status"]:
        yield f"status {body.get('status')} in a body of {answer['status']}"
    if kind in DOCUMENTED_PROBLEMS:
        if not all(isinstance(body.get(name), str) for name in ("title", "detail")):
            yield "a problem without title or detail"
        return
    by_kind = {
        schema["properties"]["type"]["enum"][0].rsplit("/", 1)[-1]: schema
        for name, schema in schemas.items()
        if name.endswith("Problem") and "properties" in schema
    }
    if kind not in by_kind:
        yield f"unknown problem {body.get('type')!r}"
        return
    for fault in Draft4Validator(by_kind[kind]).iter_errors(modern(body)):
        yield fault.message


def modern(body):
    """The body with the names of the document's generation."""
    text = json.dumps(body).replace("https://api.twitter.com/2/", "https://api.x.com/2/")
    return json.loads(text.replace('"scope": "tweet"', '"scope": "post"'))


def unknown_parameters(request, operation, components):
    """openapi-core lets parameters pass that the document does not have; X refuses them."""
    known = set()
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            parameter = components["parameters"][parameter["$ref"].rsplit("/", 1)[-1]]
        known.add(parameter["name"])
    for name in request.parameters.query:
        if name not in known:
            yield f"unknown query parameter {name!r}"


def operation_of(document, path, method):
    for pattern, item in document["paths"].items():
        names = pattern.split("/")
        segments = path.split("/")
        fits = len(names) == len(segments) and all(
            name == segment or (name.startswith("{") and segment) for name, segment in zip(names, segments)
        )
        if fits and method in item and pattern.count("{") <= path.count("/"):
            if pattern == path or path not in document["paths"]:
                return pattern, item[method]
    return None, None


def chain(error):
    """An error with what caused it, down to the schema's words."""
    words = []
    while error is not None:
        words.append(str(error))
        inner = getattr(error, "schema_errors", None)
        words.extend(one.message for one in inner or [])
        error = error.__cause__
    return " <- ".join(word for word in words if word)


def faults_of(document, openapi, line):
    schemas = document["components"]["schemas"]
    request = Request(line)
    _, operation = operation_of(document, request.path, request.method)
    if operation is None:
        if line["status"] != 404:
            yield "no such operation in the document"
        return
    body = modern(without_undocumented(line["response_body"]))
    if line["status"] >= 400:
        yield from error_faults(line, body, schemas)
        return
    yield from unknown_parameters(request, operation, document["components"])
    wanted = operation.get("requestBody", {}).get("content", {})
    if request.has_form and "multipart/form-data" not in wanted:
        yield "the document has no form here"
    # The document has no body for `finalize`; SDKs send `{}`.
    if not request.has_form and (wanted or request.method in ("get", "delete")):
        try:
            openapi.validate_request(request)
        except OpenAPIError as error:
            yield f"request: {chain(error)}"
    if str(line["status"]) not in operation["responses"]:
        yield f"status {line['status']} is not in the document"
        return
    try:
        openapi.validate_response(request, Response(line, body))
    except OpenAPIError as error:
        yield f"answer: {chain(error)}"
    if "data" not in body and "errors" not in body and "meta" not in body:
        yield "an answer with neither data nor errors"


def main():
    document_path, recording_path = sys.argv[1:]
    with open(document_path, encoding="utf-8") as file:
        document = json.load(file)
    # The document is not quite valid itself (an enumeration lists a name twice): it is not checked.
    openapi = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
    seen = collections.Counter()
    failed = collections.Counter()
    with open(recording_path, encoding="utf-8") as file:
        for line in file:
            exchange = json.loads(line)
            if not is_judged(exchange):
                continue
            pattern, _ = operation_of(document, exchange["path"], exchange["method"].lower())
            name = f"{exchange['method']} {pattern or exchange['path']} {exchange['status']}"
            seen[name] += 1
            for fault in faults_of(document, openapi, exchange):
                failed[f"{name}: {fault}"] += 1
    if not seen:
        sys.exit("the recording is empty: run the tests with MOORING_SIM_RECORD set")
    for name, count in sorted(seen.items()):
        print(f"{count:5} {name}")
    for fault, count in sorted(failed.items()):
        print(f"fault ({count} times) {fault}")
    print(f"{sum(seen.values())} exchanges, {len(failed)} faults")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
