#!/usr/bin/env python3
# Google's own client, with its bundled discovery document, drives the simulator.
# needs: google-api-python-client==2.202.0
# Environment: SIM_URL, the base URL of a running mooring-simulator. Prints `ok <step>` per step.
import io
import json
import os
import sys
import urllib.request

import google.auth.exceptions
import googleapiclient
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

SIM = os.environ["SIM_URL"].rstrip("/")
ROOT = SIM + "/youtube/"
CHUNK = 256 * 1024


def admin(path, body):
    request = urllib.request.Request(
        f"{SIM}/admin/youtube/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def ok(step, condition=True, seen=None):
    if not condition:
        print(f"FAILED {step}: {seen!r}")
        sys.exit(1)
    print(f"ok {step}")


def service(credentials):
    folder = os.path.dirname(googleapiclient.__file__)
    with open(f"{folder}/discovery_cache/documents/youtube.v3.json") as file:
        document = json.load(file)
    # Uploads go to the document's root, whatever endpoint a client is given.
    document["rootUrl"] = document["baseUrl"] = ROOT
    document.pop("mtlsRootUrl", None)
    return build_from_document(document, credentials=credentials)


def upload(youtube, title, size):
    body = {
        "snippet": {"title": title, "description": "Seen by Google's client", "categoryId": "22"},
        "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": False},
    }
    media = MediaIoBaseUpload(
        io.BytesIO(os.urandom(size)), mimetype="video/mp4", chunksize=CHUNK, resumable=True
    )
    request = youtube.videos().insert(part="snippet,status", body=body, media_body=media)
    video, chunks = None, 0
    while video is None:
        progress, video = request.next_chunk()
        chunks += 1
    return video, chunks


def refused(call):
    try:
        call()
    except HttpError as error:
        return error
    return None


def main():
    app = admin("apps", {})
    user = admin("users", {"app": app["client_id"], "access_life_s": 1})["users"][0]
    channel = user["channels"][0]["id"]
    credentials = Credentials(
        user["access_token"],
        refresh_token=user["refresh_token"],
        token_uri=ROOT + "token",
        client_id=app["client_id"],
        client_secret=app["secret"],
    )
    from google.auth.transport.requests import Request

    credentials.refresh(Request())
    ok("refresh", credentials.valid and credentials.token != user["access_token"], credentials.expiry)
    youtube = service(credentials)

    mine = youtube.channels().list(part="id,snippet,contentDetails,status", mine=True).execute()
    ok("channels.list", mine["items"][0]["id"] == channel, mine)
    uploads = mine["items"][0]["contentDetails"]["relatedPlaylists"]["uploads"]

    video, chunks = upload(youtube, "Three chunks", 2 * CHUNK + 17)
    ok("videos.insert", chunks == 3 and video["status"]["uploadStatus"] == "uploaded", video)

    found = youtube.playlistItems().list(part="contentDetails", playlistId=uploads).execute()
    ok("playlistItems.list", found["items"][0]["contentDetails"]["videoId"] == video["id"], found)

    admin("acts", {"processing_ms": 0})
    second, _ = upload(youtube, "At once", 100)
    parts = "id,snippet,status,processingDetails"
    read = youtube.videos().list(part=parts, id=second["id"]).execute()
    ok("videos.list", read["items"][0]["status"]["uploadStatus"] == "processed", read)

    for one in (video, second):
        youtube.videos().delete(id=one["id"]).execute()
    gone = youtube.videos().list(part="id", id=second["id"]).execute()
    ok("videos.delete", gone["items"] == [], gone)

    error = refused(lambda: youtube.videos().delete(id=second["id"]).execute())
    seen = error and (error.resp.status, error.error_details[0]["reason"])
    ok("HttpError videoNotFound", seen == (404, "videoNotFound"), seen)

    admin(f"acts/{app['client_id']}", {"quota": {"units_per_day": 0, "uploads_per_day": 0}})
    error = refused(lambda: youtube.channels().list(part="id", mine=True).execute())
    seen = error and (error.resp.status, error.error_details[0]["reason"])
    ok("HttpError quotaExceeded", seen == (403, "quotaExceeded"), seen)
    error = refused(lambda: upload(youtube, "One too many", 10))
    ok("HttpError on an upload", error is not None and error.resp.status == 403, error)

    admin(f"acts/{user['id']}", {"tokens": "revoke"})
    try:
        credentials.refresh(Request())
        ok("RefreshError invalid_grant", False)
    except google.auth.exceptions.RefreshError as error:
        ok("RefreshError invalid_grant", "invalid_grant" in str(error) and not error.retryable, error)


if __name__ == "__main__":
    main()
