#!/usr/bin/env python3
"""Meta's own SDK drives the simulator: Instagram through Facebook Login.

Needs SIM_URL, the base URL of a running mooring-simulator. Prints `ok <step>` per step.

Instagram Login (graph.instagram.com) and Threads have no official SDK: Meta publishes facebook-business for
graph.facebook.com alone, and the community's packages for the other two are wrappers of a few calls without
a judgement of their own. The shape of those two is judged by simulator/tests/it instead.
"""
# needs: facebook-business==26.0.3

import os
import sys

import requests
from facebook_business.session import FacebookSession

SIM = os.environ["SIM_URL"].rstrip("/")
FacebookSession.GRAPH = f"{SIM}/facebook"

from facebook_business.adobjects.igmedia import IGMedia  # noqa: E402
from facebook_business.adobjects.iguser import IGUser  # noqa: E402
from facebook_business.adobjects.user import User  # noqa: E402
from facebook_business.api import FacebookAdsApi  # noqa: E402
from facebook_business.exceptions import FacebookRequestError  # noqa: E402


def admin(path, body):
    answer = requests.post(f"{SIM}/admin/{path}", json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


def check(step, holds, seen):
    if not holds:
        print(f"failed {step}: {seen}")
        sys.exit(1)
    print(f"ok {step}")


def refused(step, code, subcode, act):
    try:
        act()
    except FacebookRequestError as error:
        seen = (error.http_status(), error.api_error_code(), error.api_error_subcode())
        check(step, seen == (400, code, subcode), seen)
        return
    check(step, False, "the call succeeded")


def main():
    app = admin("facebook/apps", {"require_proof": True})
    user = admin("facebook/users", {"app": app["id"]})["users"][0]
    page = user["pages"][0]["id"]
    account = admin("instagram/links", {"page": page})["id"]
    FacebookAdsApi.init(
        access_token=user["token"], app_id=app["id"], app_secret=app["secret"], crash_log=False
    )

    pages = User("me").get_accounts(fields=["id", "name", "instagram_business_account"])
    linked = [p["instagram_business_account"]["id"] for p in pages if "instagram_business_account" in p]
    check("connect", linked == [account], linked)

    profile = IGUser(account).api_get(fields=["id", "username"])
    check("check", profile["id"] == account, profile)

    ig = IGUser(account)
    container = ig.create_media(
        params={"image_url": "https://media.example/a.jpg", "caption": "hello from the sdk"}
    )
    check("create_media", container["id"].startswith("179"), container)
    api = FacebookAdsApi.get_default_api()
    status = api.call("GET", (container["id"],), params={"fields": "status_code"}).json()
    check("container status", status["status_code"] == "FINISHED", status)

    media = ig.create_media_publish(params={"creation_id": container["id"]})
    check("create_media_publish", media["id"].startswith("180"), media)

    read = IGMedia(media["id"]).api_get(fields=["id", "caption", "permalink", "media_type", "timestamp"])
    check("read back", read["caption"] == "hello from the sdk", read)
    listed = ig.get_media(fields=["id", "caption"])
    check("list", [m["id"] for m in listed] == [media["id"]], list(listed))
    limit = ig.get_content_publishing_limit(fields=["quota_usage", "config"])
    check("quota", limit[0]["quota_usage"] == 1, list(limit))

    IGMedia(media["id"]).api_delete()
    refused("deleted", 100, 33, lambda: IGMedia(media["id"]).api_get(fields=["id"]))
    refused(
        "unknown creation id",
        24,
        2207008,
        lambda: ig.create_media_publish(params={"creation_id": "17900000000000000"}),
    )
    admin(f"facebook/users/{user['id']}/revoke", {"reason": "password_changed"})
    refused("password changed", 190, 460, lambda: IGUser(account).api_get(fields=["id"]))


if __name__ == "__main__":
    main()
