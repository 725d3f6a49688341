"""files.getUploadURLExternal and completeUploadExternal; the bytes go to the upload URL in between."""

from dataclasses import replace

from sandbox.slack.methods import chat
from sandbox.slack.methods.ask import Ask
from sandbox.slack.refused import Json, Refused
from sandbox.slack.tickets import Upload


def upload_url(ask: Ask) -> Json:
    """Where to send the bytes."""
    if ask.get("length", 0) <= 0:
        raise Refused("missing_argument")
    file = Upload(ask.workspace.ids("F"), ask.get("filename"), ask.get("length", 0))
    ask.workspace.tickets.files[file.id] = file
    return {"ok": True, "upload_url": f"{ask.workspace.base_url}/upload/{file.id}", "file_id": file.id}


def complete(ask: Ask) -> Json:
    """Name the files and share them in a conversation, as one message."""
    given = ask.get("files", [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refused("invalid_arguments", "[ERROR] must be an array of objects [json-pointer:/files]")
    files = [_finished(ask, one) for one in given]
    bodies = [file.as_json(ask.workspace.base_url, ask.install.bot_user) for file in files]
    for file in files:
        ask.workspace.tickets.files[file.id] = file
    if ask.get("channel_id"):
        channel = ask.writable("channel_id")
        message = chat.mine(ask, channel, ask.root(channel))
        text = str(ask.get("initial_comment"))
        chat.show(
            ask,
            ask.workspace.messages.put(replace(message, text=text, files=tuple(bodies), subtype="file_share")),
            channel,
        )
    return {"ok": True, "files": bodies}


def _finished(ask: Ask, given: Json) -> Upload:
    file = ask.workspace.tickets.files.get(str(given.get("id")))
    if file is None or len(file.content) != file.length:
        raise Refused("file_not_found")
    return replace(file, title=str(given.get("title") or file.name), complete=True)
