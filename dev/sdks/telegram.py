# needs: python-telegram-bot==22.8
"""python-telegram-bot drives the simulator: bot, chat, role, text, photo, video, album, deletion, webhook,
and errors that it must recognise. SIM_URL names the simulator. Prints `ok <step>` for each step; exit
code 1 with what failed."""
import asyncio
import json
import os
import sys
import urllib.request

# This file bears the SDK's name and must not be found in its place.
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))

import telegram
from telegram import Bot, InputMediaPhoto, InputMediaVideo
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

ROOT = os.environ["SIM_URL"].rstrip("/")
BASE = ROOT + "/telegram"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MP4 = b"\0\0\0\x18ftypmp42" + bytes(64)


def admin(path, body, method="POST"):
    data = json.dumps(body).encode()
    request = urllib.request.Request(
        ROOT + "/admin/telegram/" + path, data, {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


async def refused(kind, call):
    try:
        await call
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def step(name, condition=True):
    if not condition:
        print(f"failed: {name}")
        sys.exit(1)
    print(f"ok {name}")


async def main():
    made = admin("bots", {})
    chat = admin("chats", {"bot": made["id"]})["chats"][0]
    name = "@" + chat["username"]
    bot = Bot(made["token"], base_url=BASE + "/bot", base_file_url=BASE + "/file/bot")
    async with bot:
        step("getMe", bot.id == made["id"] and bot.username == made["username"])
        seen = await bot.get_chat(name)
        step("getChat", seen.id == chat["id"] and seen.type == "channel" and seen.title == chat["title"])
        member = await bot.get_chat_member(chat["id"], bot.id)
        step("getChatMember", member.status == "administrator" and member.can_post_messages)

        first = await bot.send_message(chat["id"], "Hello https://example.com/a")
        step("sendMessage", first.text.startswith("Hello") and first.chat.id == chat["id"])
        step("permalink", first.link == f"https://t.me/{chat['username']}/{first.message_id}")
        photo = await bot.send_photo(chat["id"], PNG, caption="a boat")
        step("sendPhoto", photo.caption == "a boat" and photo.photo)
        video = await bot.send_video(chat["id"], MP4, caption="a boat moves", duration=5)
        step("sendVideo", video.caption == "a boat moves" and video.video.duration == 5)
        album = [InputMediaPhoto(PNG, caption="two"), InputMediaVideo(MP4)]
        sent = await bot.send_media_group(chat["id"], album)
        step("sendMediaGroup", len(sent) == 2 and sent[0].media_group_id == sent[1].media_group_id)
        edited = await bot.edit_message_text("Hi", chat_id=chat["id"], message_id=first.message_id)
        step("editMessageText", edited.text == "Hi")

        step("deleteMessage", await bot.delete_message(chat["id"], first.message_id))
        gone = await refused(BadRequest, bot.delete_message(chat["id"], first.message_id))
        step("a message that is gone", "message to delete not found" in gone.message.lower())
        long = await refused(BadRequest, bot.send_message(chat["id"], "x" * 4097))
        step("too long", "message is too long" in long.message.lower())
        step("setWebhook", await bot.set_webhook("https://mooring.example/hook", secret_token="word-1"))
        info = await bot.get_webhook_info()
        step("getWebhookInfo", info.url == "https://mooring.example/hook")
        step("deleteWebhook", await bot.delete_webhook())

        admin("settings", {"messages_per_minute": 1}, "PUT")
        later = await refused(RetryAfter, bot.send_message(chat["id"], "too many"))
        step("too many messages is RetryAfter", later.retry_after)
        admin("settings", {}, "PUT")
        admin(f"chats/{chat['id']}", {"act": "role", "bot": made["id"], "role": {"status": "kicked"}})
        kicked = await refused(Forbidden, bot.send_message(chat["id"], "out"))
        step("kicked is Forbidden", "kicked" in kicked.message)
        admin(f"bots/{made['id']}", {"act": "revoke"})
        await refused(InvalidToken, bot.send_message(chat["id"], "dead"))
        step("a revoked token is InvalidToken")


asyncio.run(main())
