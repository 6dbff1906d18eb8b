# needs: facebook-business==26.0.3
"""Meta's own SDK drives the simulated Graph API.

SIM_URL names a running mooring-simulator. Prints `ok STEP` per step; at the first thing that is not
as the SDK wants it, says so and ends with 1.
"""

import json
import os
import sys
import tempfile
import urllib.request

from facebook_business.adobjects.advideo import AdVideo
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

SIM = os.environ["SIM_URL"].rstrip("/")
GRAPH = SIM + "/facebook"
PNG = b"\x89PNG\r\n\x1a\nrest of a picture"


def admin(path, body):
    request = urllib.request.Request(
        SIM + "/admin/" + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def api(app, token):
    return FacebookAdsApi.init(
        app_id=app["id"], app_secret=app["secret"], access_token=token, crash_log=False
    )


def ok(step):
    print("ok", step)


def check(condition, what):
    if not condition:
        sys.exit("not as the SDK wants it: " + what)


def refusal(call):
    """The error that the SDK recognised."""
    try:
        call()
    except FacebookRequestError as error:
        return error
    sys.exit("an error was to come, and none came")


def connect():
    app = admin("facebook/apps", {"require_proof": True})
    user = admin("facebook/users", {"app": app["id"], "pages": 2})["users"][0]
    api(app, user["token"])
    pages = User("me").get_accounts()
    names = {page["id"]: page for page in pages}
    check(len(names) == 2, "two pages are listed")
    page = names[user["pages"][0]["id"]]
    check("CREATE_CONTENT" in page["tasks"], "tasks are a list")
    debug = FacebookAdsApi.get_default_api().call(
        "GET", ("debug_token",), params={"input_token": user["token"]}
    ).json()["data"]
    check(debug["is_valid"] and "pages_manage_posts" in debug["scopes"], "debug_token")
    api(app, page["access_token"])
    ok("connect")
    return app, user, page


def publish_and_read(page):
    made = Page(page["id"]).create_feed(params={"message": "hi from the SDK"})
    post = PagePost(made["id"])
    read = post.api_get(fields=["id", "message", "created_time", "permalink_url", "is_published"])
    check(read["message"] == "hi from the SDK" and read["is_published"], "the post reads back")
    listed = list(Page(page["id"]).get_published_posts(fields=["id", "message"]))
    check(any(p["id"] == post["id"] for p in listed), "the post is listed")
    ok("publish and read back")
    return post


def photos(page):
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(PNG)
        file.flush()
        upload = FacebookAdsApi.get_default_api().call(
            "POST",
            (page["id"], "photos"),
            params={"published": "false"},
            files={"source": open(file.name, "rb")},
        ).json()
    other = Page(page["id"]).create_photo(
        params={"url": "https://pictures.example/2.jpg", "published": False}
    )
    media = [{"media_fbid": upload["id"]}, {"media_fbid": other["id"]}]
    post = Page(page["id"]).create_feed(params={"message": "two", "attached_media": media})
    read = PagePost(post["id"]).api_get(fields=["attachments"])
    album = read["attachments"]["data"][0]["subattachments"]["data"]
    check(len(album) == 2, "both photos are attached")
    ok("photos")


def video(page):
    made = Page(page["id"]).create_video(
        params={"file_url": "https://pictures.example/v.mp4", "description": "moves"}
    )
    read = AdVideo(made["id"]).api_get(fields=["status", "post_id", "published"])
    check(read["published"] and read["status"]["video_status"] == "ready", "the video is ready")
    ok("video")


def reel(page):
    start = Page(page["id"]).create_video_reel(params={"upload_phase": "start"})
    request = urllib.request.Request(
        start["upload_url"],
        data=b"a film",
        headers={
            "authorization": "OAuth " + page["access_token"],
            "offset": "0",
            "file_size": "6",
            "content-type": "application/octet-stream",
        },
    )
    check(json.load(urllib.request.urlopen(request))["success"], "the upload")
    Page(page["id"]).create_video_reel(
        params={
            "upload_phase": "finish",
            "video_id": start["video_id"],
            "video_state": "PUBLISHED",
            "description": "a reel",
        }
    )
    reels = list(Page(page["id"]).get_video_reels(fields=["id", "description"]))
    check(reels[0]["id"] == start["video_id"], "the reel is listed")
    ok("reel")


def story(page):
    photo = Page(page["id"]).create_photo(
        params={"url": "https://pictures.example/s.jpg", "published": False}
    )
    Page(page["id"]).create_photo_story(params={"photo_id": photo["id"]})
    stories = list(Page(page["id"]).get_stories())
    check(stories[0]["media_id"] == photo["id"], "the story is listed")
    check(stories[0]["status"] == "PUBLISHED", "the story stands")
    ok("story")


def webhooks(page):
    Page(page["id"]).create_subscribed_app(params={"subscribed_fields": ["feed"]})
    apps = list(Page(page["id"]).get_subscribed_apps())
    check(apps[0]["subscribed_fields"] == ["feed"], "the app is installed")
    ok("webhooks")


def remove(post):
    post.api_delete()
    gone = refusal(lambda: post.api_get(fields=["id"]))
    check((gone.api_error_code(), gone.api_error_subcode()) == (100, 33), "gone is 100/33")
    ok("delete")


def errors(app, user, page):
    Page(page["id"]).create_feed(params={"message": "once"})
    twice = refusal(lambda: Page(page["id"]).create_feed(params={"message": "once"}))
    check(twice.api_error_code() == 506, "a repetition is 506")
    admin("facebook/users/%s/revoke" % user["id"], {"reason": "password_changed"})
    dead = refusal(lambda: Page(page["id"]).create_feed(params={"message": "late"}))
    check((dead.api_error_code(), dead.api_error_subcode()) == (190, 460), "a new password is 460")
    check(dead.api_error_type() == "OAuthException", "the type of the error")
    check(not dead.api_transient_error(), "and it does not pass by itself")
    ok("errors")


def main():
    FacebookSession.GRAPH = GRAPH
    # Videos are ready at once, so that nobody has to wait.
    rules = urllib.request.Request(
        SIM + "/admin/facebook/media",
        data=json.dumps({"processing_ms": 0}).encode(),
        headers={"content-type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(rules)
    app, user, page = connect()
    post = publish_and_read(page)
    photos(page)
    video(page)
    reel(page)
    story(page)
    webhooks(page)
    remove(post)
    errors(app, user, page)


main()
