# needs: openapi-core==0.23.1
# usage: mastodon.py DOCUMENT RECORDING [RECORDING ...]    (recordings: files written with MOORING_SIM_RECORD)
"""Judges recorded exchanges with Mastodon by the community's OpenAPI document of its API. Prints what
does not fit and a summary; exit code 1 when something does not fit, or when too little was recorded.

The document is weak in places, and these are met half-way, each named where it is done:
bodies as JSON only, no 403, kinds of posts that exclude each other although they overlap, no
redirect from the authorize page."""
import collections
import json
import sys
import urllib.parse
import warnings

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "https://mastodon.example"
# Pages for people, and what stands in front of a server.
PAGES = ("/oauth/authorize", "/@")
# A recording without these has seen too little to be a judgement.
EXPECTED = {
    "GET /api/v1/accounts/verify_credentials",
    "POST /api/v1/statuses",
    "GET /api/v1/statuses/{id}",
}
# Answers that the software gives and the document leaves out, all of the form of `Error`.
UNDOCUMENTED = {400, 403, 500}
# Parameters that hold lists and numbers when they come in a form.
LISTS = {"redirect_uris", "media_ids"}
FLAGS = {"sensitive"}


class Request:
    """A recorded request, as openapi-core wants to see it."""

    def __init__(self, line):
        self.host_url = HOST
        self.path = line["path"].rstrip("/")
        self.method = line["method"].lower()
        headers = line["request_headers"]
        kind = headers.get("content-type", "")
        body = line["request_body"]
        self.body, self.content_type = as_json(kind, body)
        query = urllib.parse.parse_qsl(line["query"], keep_blank_values=True)
        self.parameters = RequestParameters(
            query=ImmutableMultiDict([(name.removesuffix("[]"), value) for name, value in query]),
            header=Headers(headers),
            cookie=ImmutableMultiDict(),
        )

    @property
    def is_opaque(self):
        """Files are recorded by their size alone."""
        return self.content_type.startswith("multipart/")


def as_json(kind, body):
    """The document knows JSON only; the software takes forms all the same, so a form is judged
    as the object that it stands for."""
    if kind.startswith("application/x-www-form-urlencoded") and isinstance(body, str):
        fields = {}
        for name, value in urllib.parse.parse_qsl(body, keep_blank_values=True):
            bare = name.removesuffix("[]")
            if bare in LISTS:
                fields.setdefault(bare, []).append(value)
            else:
                fields[bare] = value in ("true", "1", "on") if bare in FLAGS else value
        return json.dumps(fields).encode(), "application/json"
    if body is None:
        return None, kind
    return json.dumps(body).encode(), kind.split(";")[0]


class Response:
    """A recorded answer."""

    def __init__(self, line):
        body = line["response_body"]
        self.status_code = line["status"]
        self.headers = Headers(line["response_headers"])
        self.content_type = self.headers.get("content-type", "").split(";")[0]
        self.data = b"" if body is None else json.dumps(body).encode()


def problems(document, line):
    """What does not fit, as (which side, why)."""
    request = Request(line)
    found = []
    # A refused request may be wrong on purpose.
    if line["status"] < 400 and not request.is_opaque:
        found += attempt("request", lambda: document.validate_request(request))
    response = Response(line)
    if line["status"] in UNDOCUMENTED:
        if "error" not in (line["response_body"] or {}):
            found.append(("response", "an error without the text `error`"))
    else:
        found += attempt("response", lambda: document.validate_response(request, response))
    return found


def attempt(side, judge):
    try:
        judge()
    except Exception as error:  # openapi-core has no one class for its verdicts
        return [(side, reason(error))]
    return []


def reason(error):
    cause = error.__cause__ or error
    details = [
        "/".join(str(part) for part in one.path) + ": " + one.message[:200]
        for one in getattr(cause, "schema_errors", [])
    ]
    return "; ".join(details) or f"{type(cause).__name__}: {cause}"[:300]


def is_judged(line):
    """Not pages for people, not what a proxy or a fault said, not what was never answered."""
    kind = (line["response_headers"] or {}).get("content-type", "")
    return (
        line["site"] == "mastodon"
        and line["status"] is not None
        and not line["path"].startswith(PAGES)
        and not (kind.startswith("text/html"))
    )


def load(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    # A post with text and media is both a TextStatus and a MediaStatus.
    body = document["paths"]["/api/v1/statuses"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    schema["anyOf"] = schema.pop("oneOf")
    # The document does not pass the check of documents (a default of another type).
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


def operation(line):
    """Method and path, ids left out."""
    parts = ["{id}" if part.isdigit() else part for part in line["path"].rstrip("/").split("/")]
    return line["method"] + " " + "/".join(parts)


def main(path, recordings):
    warnings.filterwarnings("ignore", message="Unsupported scheme type")
    document = load(path)
    judged, wrong = collections.Counter(), collections.Counter()
    for recording in recordings:
        with open(recording, encoding="utf-8") as lines:
            for line in filter(is_judged, map(json.loads, lines)):
                name = operation(line)
                judged[name] += 1
                for side, why in problems(document, line):
                    wrong[f"{name} {line['status']} {side}: {why}"] += 1
    for what, times in sorted(wrong.items()):
        print(f"FAILED {what} ({times}x)")
    missing = EXPECTED - judged.keys()
    for name in sorted(missing):
        print(f"FAILED the recording has no {name}")
    print(f"{sum(judged.values())} exchanges judged, {sum(wrong.values())} faults")
    return 1 if wrong or missing else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: mastodon.py DOCUMENT RECORDING [RECORDING ...]")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
