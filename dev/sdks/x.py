#!/usr/bin/env python3
# needs: tweepy==4.17.0
"""tweepy drives the simulated X: connect, publish, read back, list, delete, and errors that it must recognise.

SIM_URL is the base URL of a running mooring-simulator. One line `ok STEP` per step; exit status 1 at the first failure.
tweepy knows one host, so a transport adapter sends its calls to the simulator.
"""

import os
import sys

os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")

import requests
import tweepy

SIM = os.environ["SIM_URL"].rstrip("/")
HOSTS = ("https://api.twitter.com", "https://twitter.com")
BACK = "https://app.test/back"
SCOPE = ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"]


class Redirected(requests.adapters.HTTPAdapter):
    """Sends what is meant for X to the simulator."""

    def send(self, request, **options):
        for host in HOSTS:
            request.url = request.url.replace(host, f"{SIM}/x")
        return super().send(request, **options)


def step(name, holds=True):
    if not holds:
        print(f"failed {name}")
        sys.exit(1)
    print(f"ok {name}")


def refused(name, kind, call, text=""):
    try:
        call()
    except kind as error:
        step(name, text in str(error))
    else:
        step(f"{name}: no {kind.__name__}", False)


def admin(path, body):
    answer = requests.post(f"{SIM}/admin/{path}", json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


def connect(app, user):
    """The whole authorization code flow with PKCE, through tweepy's own handler."""
    handler = tweepy.OAuth2UserHandler(
        client_id=app["id"], client_secret=app["secret"], redirect_uri=BACK, scope=SCOPE
    )
    for host in HOSTS:
        handler.mount(host, Redirected())
    page = handler.get_authorization_url() + "&login_hint=" + user["id"]
    page = page.replace("https://twitter.com", f"{SIM}/x")
    consent = requests.get(page, allow_redirects=False, timeout=10)
    tokens = handler.fetch_token(consent.headers["location"])
    step("connect", tokens["expires_in"] == 7200 and set(tokens["scope"]) == set(SCOPE))
    fresh = handler.refresh_token(
        "https://api.twitter.com/2/oauth2/token",
        refresh_token=tokens["refresh_token"],
        auth=handler.auth,
    )
    step("refresh", fresh["refresh_token"] != tokens["refresh_token"])
    return fresh["access_token"]


def client_of(token):
    client = tweepy.Client(token)
    client.session.mount(HOSTS[0], Redirected())
    return client


def main():
    app = admin("x/apps", {})
    user = admin("x/users", {"app": app["id"]})["users"][0]
    client = client_of(connect(app, user))
    me = client.get_me(user_auth=False, user_fields=["protected", "verified"])
    step("me", me.data.username == user["username"] and me.data.protected is False)

    made = client.create_tweet(text="hello from tweepy https://example.com", user_auth=False)
    step("publish", made.data["text"].startswith("hello from tweepy https://t.co/"))
    post = made.data["id"]
    read = client.get_tweet(
        post, user_auth=False, tweet_fields=["created_at", "entities"], expansions=["author_id"]
    )
    step("read back", str(read.data.id) == post and read.data.created_at is not None)
    step("edit history", read.data.edit_history_tweet_ids == [int(post)])
    step("link", read.data.entities["urls"][0]["expanded_url"] == "https://example.com")
    step("author", read.includes["users"][0].username == user["username"])
    listed = client.get_users_tweets(user["id"], user_auth=False, since_id=int(post) - 1)
    step("list", [str(one.id) for one in listed.data] == [post] and listed.meta["result_count"] == 1)

    refused(
        "duplicate",
        tweepy.Forbidden,
        lambda: client.create_tweet(text="hello from tweepy https://example.com", user_auth=False),
        "duplicate content",
    )
    refused(
        "unknown field",
        tweepy.BadRequest,
        lambda: client.get_tweet(post, user_auth=False, tweet_fields=["nonsense"]),
        "nonsense",
    )
    gone = client.delete_tweet(post, user_auth=False)
    step("delete", gone.data["deleted"] is True)
    after = client.get_tweet(post, user_auth=False)
    step("gone", after.data is None and after.errors[0]["title"] == "Not Found Error")

    admin(f"x/users/{user['id']}/state", {"state": "suspended"})
    refused("suspended", tweepy.Forbidden, lambda: client.get_me(user_auth=False), "suspended")
    admin(f"x/users/{user['id']}/state", {"state": "active"})
    fault = {"platform": "x", "operation": "users_me", "kind": "rate_limited", "reset_s": 60, "count": 1}
    admin("faults", fault)
    refused("rate limit", tweepy.TooManyRequests, lambda: client.get_me(user_auth=False))
    admin(f"x/users/{user['id']}/tokens", {"action": "revoke"})
    refused("revoked", tweepy.Unauthorized, lambda: client.get_me(user_auth=False))


if __name__ == "__main__":
    main()
