"""views.open, push, update, publish."""

from sandbox.slack.blocks import check_view
from sandbox.slack.methods.ask import Ask
from sandbox.slack.refused import Json, Refused
from sandbox.slack.views import View


def open_(ask: Ask) -> Json:
    """A modal for whoever the trigger belongs to. A bad view does not use the trigger up."""
    check_view(ask.get("view"))
    trigger = ask.workspace.tickets.exchange(ask.get("trigger_id"))
    return _shown(ask, ask.workspace.views.show(trigger.user, ask.install.team_id, ask.get("view")))


def push(ask: Ask) -> Json:
    """One more modal on top."""
    check_view(ask.get("view"))
    trigger = ask.workspace.tickets.exchange(ask.get("trigger_id"))
    return _shown(ask, ask.workspace.views.push(trigger.user, ask.install.team_id, ask.get("view")))


def update(ask: Ask) -> Json:
    """Other content in a view, found by its id or the app's own."""
    if not ask.get("view_id") and not ask.get("external_id"):
        raise Refused("invalid_arguments", "[ERROR] missing required field: view_id [json-pointer:/view_id]")
    view = ask.workspace.views.find(str(ask.get("view_id")), str(ask.get("external_id")))
    return _shown(ask, ask.workspace.views.update(view, ask.get("view"), str(ask.get("hash"))))


def publish(ask: Ask) -> Json:
    """A person's Home tab."""
    user = ask.workspace.directory.user(ask.get("user_id"), "invalid_arguments")
    views = ask.workspace.views
    return _shown(ask, views.publish(user.id, ask.install.team_id, ask.get("view"), str(ask.get("hash"))))


def _shown(ask: Ask, view: View) -> Json:
    ask.workspace.feed.tell("view", user=view.user, view_id=view.id)
    return {"ok": True, "view": view.as_json(ask.workspace.app.id, ask.install.bot_id)}
