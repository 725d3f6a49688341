"""assistant.threads.setStatus, setTitle, setSuggestedPrompts and agents.sessions.setStatus, rename."""

from dataclasses import replace

from sandbox.slack import limits
from sandbox.slack.directory import Channel
from sandbox.slack.methods.ask import Ask, check_persona
from sandbox.slack.refused import Json, Refused
from sandbox.slack.workspace import Session, Status

STATUSES = frozenset({"processing", "active", "suspended", "closed"})


def set_status(ask: Ask) -> Json:
    """The line under a thread while the bot works; an empty one clears it."""
    channel, root = _thread(ask)
    check_persona(ask)
    waiting = ask.get("loading_messages", [])
    if not isinstance(waiting, list) or len(waiting) > limits.LOADING_MESSAGES_MOST:
        raise _bad(f"no more than {limits.LOADING_MESSAGES_MOST} items allowed", "loading_messages")
    text = str(ask.get("status"))
    status = Status(text, tuple(waiting), ask.workspace.clock()) if text else None
    ask.workspace.set_status(channel.id, root, status)
    return {"ok": True}


def set_title(ask: Ask) -> Json:
    """A thread's title in the app's list."""
    channel, root = _thread(ask)
    ask.workspace.titles[(channel.id, root)] = str(ask.get("title"))
    return {"ok": True}


def set_prompts(ask: Ask) -> Json:
    """Up to four prompts; without a thread they are pinned above the composer of the direct conversation."""
    channel, root = _thread(ask)
    prompts = ask.get("prompts", [])
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= limits.PROMPTS_MOST:
        raise _bad(f"from 1 to {limits.PROMPTS_MOST} items allowed", "prompts")
    for prompt in prompts:
        if not isinstance(prompt, dict) or set(prompt) != {"title", "message"} or not all(prompt.values()):
            raise _bad("each item has a title and a message", "prompts")
    ask.workspace.prompts[(channel.id, root)] = prompts
    ask.workspace.feed.tell("status", channel=channel.id, thread_ts=root)
    return {"ok": True}


def set_session(ask: Ask) -> Json:
    """Where an agent's session stands. Without `agent_session_stopped` people get no stop button: a warning."""
    channel, root = _thread(ask)
    status, title = ask.get("status"), str(ask.get("title"))
    check_persona(ask)
    if status not in STATUSES:
        raise _bad(f"must be one of {', '.join(sorted(STATUSES))}", "status")
    _check_title(title)
    known = ask.workspace.sessions.get((channel.id, root))
    made = Session(status, title, str(ask.get("initiator_user_id")))
    session = replace(known, status=status) if known else made
    ask.workspace.set_session(channel.id, root, session)
    answer: Json = {"ok": True, "session": {"status": status, "title": session.title}}
    if status == "processing" and "agent_session_stopped" not in ask.workspace.app.subscriptions:
        answer["response_metadata"] = {"warnings": ["missing_agent_session_stopped_subscription"]}
        ask.workspace.warn("missing_agent_session_stopped_subscription", method=ask.method)
    return answer


def rename(ask: Ask) -> Json:
    """Another title for a session that exists."""
    channel, root = _thread(ask)
    _check_title(str(ask.get("title")))
    known = ask.workspace.sessions.get((channel.id, root))
    if known is None:
        raise Refused("session_not_found")
    ask.workspace.set_session(channel.id, root, replace(known, title=str(ask.get("title"))))
    return {"ok": True}


def _thread(ask: Ask) -> tuple[Channel, str]:
    channel = ask.channel("channel_id")
    return channel, ask.root(channel, "invalid_thread_ts")


def _check_title(title: str) -> None:
    if len(title) > limits.SESSION_TITLE_MOST:
        raise _bad(f"must be less than {limits.SESSION_TITLE_MOST + 1} characters", "title")


def _bad(words: str, key: str) -> Refused:
    return Refused("invalid_arguments", f"[ERROR] {words} [json-pointer:/{key}]")
