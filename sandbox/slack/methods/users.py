"""auth.test, users.info, list, lookupByEmail and usergroups.users.list."""

from sandbox.slack.directory import User
from sandbox.slack.methods.ask import Ask
from sandbox.slack.methods.conversations import paged
from sandbox.slack.refused import Json, Refused


def auth_test(ask: Ask) -> Json:
    """Whose token this is."""
    team = ask.workspace.directory.teams[ask.install.team_id]
    bot = ask.workspace.directory.user(ask.install.bot_user)
    return {
        "ok": True,
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": bot.name,
        "team_id": team.id,
        "user_id": bot.id,
        "bot_id": ask.install.bot_id,
        "is_enterprise_install": False,
    }


def describe(ask: Ask) -> Json:
    """users.info"""
    return {"ok": True, "user": _shown(ask, ask.workspace.directory.user(ask.get("user")))}


def list_(ask: Ask) -> Json:
    """Everybody of the team, the deactivated too."""
    everybody = [user for user in ask.workspace.directory.users.values() if user.team_id == ask.install.team_id]
    page, cursor = paged(ask, [_shown(ask, user) for user in everybody])
    return {"ok": True, "members": page, "cache_ts": 0, "response_metadata": {"next_cursor": cursor}}


def look_up_by_email(ask: Ask) -> Json:
    """The one active member with this address."""
    wanted = str(ask.get("email")).casefold()
    for user in ask.workspace.directory.users.values():
        if user.email.casefold() == wanted and user.team_id == ask.install.team_id and not user.deleted:
            return {"ok": True, "user": _shown(ask, user)}
    raise Refused("users_not_found")


def group_members(ask: Ask) -> Json:
    """usergroups.users.list"""
    groups = ask.workspace.directory.groups
    if ask.get("usergroup") not in groups:
        raise Refused("no_such_subteam")
    return {"ok": True, "users": list(groups[ask.get("usergroup")])}


def _shown(ask: Ask, user: User) -> Json:
    return user.as_json(home_team=ask.install.team_id, with_email="users:read.email" in ask.install.scopes)
