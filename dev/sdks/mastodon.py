# needs: Mastodon.py==2.3.3
"""Mastodon.py drives the simulator: register, connect, publish, read back, find, delete, and errors
that it must recognise. SIM_URL names the simulator. Prints `ok <step>` for each step; exit code 1
with what failed. (TikTok has no SDK that posts: its business SDK knows no call of the Content
Posting API. Its wire format is judged by the simulator's own tests alone.)"""
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# This file bears the SDK's name and must not be found in its place.
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))

import mastodon
from mastodon import Mastodon

ROOT = os.environ["SIM_URL"].rstrip("/")
BASE = ROOT + "/mastodon"
CALLBACK = "https://mooring.example/callback"
SCOPES = ["read:accounts", "read:statuses", "write:statuses", "write:media"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def admin(path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(
        ROOT + "/admin/mastodon/" + path, data, {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def consent(url, username):
    """What the person does: the code out of the redirect."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(url + "&login_hint=" + username, timeout=10)
    except urllib.error.HTTPError as answer:
        target = urllib.parse.urlparse(answer.headers["location"])
        return urllib.parse.parse_qs(target.query)["code"][0]
    raise AssertionError("the authorize page did not redirect")


def refused(kind, call):
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__} was raised")


def step(name, condition=True):
    if not condition:
        print(f"failed: {name}")
        sys.exit(1)
    print(f"ok {name}")


def main():
    seed = admin("apps", {})
    account = admin("accounts", {"app": seed["client_id"]})["accounts"][0]

    key, secret = Mastodon.create_app(
        "Mooring", scopes=SCOPES, redirect_uris=CALLBACK, api_base_url=BASE
    )
    step("register", bool(key and secret))

    client = Mastodon(client_id=key, client_secret=secret, api_base_url=BASE, ratelimit_method="throw")
    url = client.auth_request_url(redirect_uris=CALLBACK, scopes=SCOPES, allow_http=True)
    code = consent(url, account["username"])
    token = client.log_in(code=code, redirect_uri=CALLBACK, scopes=SCOPES, allow_http=True)
    step("connect", bool(token))
    step("verify_credentials", client.account_verify_credentials().username == account["username"])
    step("instance", client.instance_v2().configuration.statuses.max_characters == 500)
    step("rate limit headers", client.ratelimit_limit == 300 and client.ratelimit_reset > time.time())

    media = client.media_post(PNG, mime_type="image/png", description="a boat", synchronous=True)
    step("upload", media.url is not None)
    text = "Hello https://example.com/a"
    first = client.status_post(text, media_ids=[media], idempotency_key="k1", visibility="public")
    again = client.status_post(text, idempotency_key="k1")
    step("publish", first.media_attachments[0].description == "a boat")
    step("publish again with the same key", again.id == first.id)

    step("read back", client.status(first.id).url == first.url)
    step("source", client.status_source(first.id).text == text)
    found = client.account_statuses(client.me().id, limit=5, exclude_reblogs=True)
    step("find", [post.id for post in found] == [first.id])
    step("edit", client.status_update(first.id, status="changed").edited_at is not None)

    client.status_delete(first.id)
    step("delete")
    refused(mastodon.MastodonNotFoundError, lambda: client.status(first.id))
    step("a deleted post is MastodonNotFoundError")
    message = refused(mastodon.MastodonAPIError, lambda: client.status_post("x" * 501))
    step("too long is MastodonAPIError", "character limit of 500 exceeded" in message)

    client.revoke_access_token(allow_http=True)
    stranger = Mastodon(access_token=token, api_base_url=BASE)
    refused(mastodon.MastodonUnauthorizedError, stranger.account_verify_credentials)
    step("a revoked token is MastodonUnauthorizedError")


main()
