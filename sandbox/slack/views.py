"""Modals and Home tabs: each person's stack of windows, and what Slack's client sends about them. No I/O."""

from dataclasses import dataclass, field, replace

from sandbox.slack import limits
from sandbox.slack.blocks import check_view
from sandbox.slack.messages import IdMaker
from sandbox.slack.refused import Json, Refused
from sandbox.slack.schema import names
from sandbox.slack.stored import as_stored

_KEPT = names(
    "type title submit close blocks private_metadata callback_id external_id clear_on_close notify_on_close"
    " submit_disabled"
)
_LARGEST = 250_000


@dataclass(frozen=True, slots=True)
class View:
    """A window or a Home tab as it stands. `errors` are those the bot answered a submission with, by block id."""

    id: str
    user: str
    team_id: str
    hash: str
    content: Json
    root: str = ""
    previous: str = ""
    errors: Json = field(default_factory=dict)
    response_urls: tuple[Json, ...] = ()

    @property
    def is_home(self) -> bool:
        """A Home tab, not a modal."""
        return bool(self.content["type"] == "home")

    def as_json(self, app_id: str, bot_id: str, values: Json | None = None) -> Json:
        """The view object of the API and of interactions."""
        kept = {key: value for key, value in self.content.items() if key in _KEPT}
        defaults: Json = {"private_metadata": "", "callback_id": "", "external_id": "", "close": None, "submit": None}
        return {
            **defaults,
            **kept,
            "id": self.id,
            "team_id": self.team_id,
            "hash": self.hash,
            "state": {"values": values or {}},
            "root_view_id": self.root or self.id,
            "previous_view_id": self.previous or None,
            "app_id": app_id,
            "app_installed_team_id": self.team_id,
            "bot_id": bot_id,
            "clear_on_close": bool(self.content.get("clear_on_close", False)),
            "notify_on_close": bool(self.content.get("notify_on_close", False)),
        }


@dataclass
class Views:
    """The open modals of everybody, bottom first, and the Home tabs."""

    ids: IdMaker
    _stacks: dict[str, list[View]] = field(default_factory=dict)
    _homes: dict[str, View] = field(default_factory=dict)

    def open_of(self, user: str) -> list[View]:
        """This person's stack of modals, the visible one last."""
        return list(self._stacks.get(user, ()))

    def home_of(self, user: str) -> View | None:
        """This person's Home tab, once published."""
        return self._homes.get(user)

    def everything(self) -> list[View]:
        """Every view there is."""
        return [*(view for stack in self._stacks.values() for view in stack), *self._homes.values()]

    def find(self, view_id: str = "", external_id: str = "") -> View:
        """By either id; raises Refused(not_found)."""
        for view in self.everything():
            if view_id == view.id or (external_id and external_id == view.content.get("external_id")):
                return view
        raise Refused("not_found")

    def show(self, user: str, team_id: str, content: Json) -> View:
        """`views.open`: a new stack with one modal."""
        view = self._made(user, team_id, content, "modal")
        self._stacks[user] = [view]
        return view

    def push(self, user: str, team_id: str, content: Json) -> View:
        """`views.push`: on top of what is open; raises Refused."""
        stack = self._stacks.get(user, [])
        if not stack:
            raise Refused("not_found")
        if len(stack) >= limits.VIEW_STACK_MOST:
            raise Refused("push_limit_reached")
        made = self._made(user, team_id, content, "modal")
        view = replace(made, root=stack[0].id, previous=stack[-1].id)
        self._stacks[user] = [*stack, view]
        return view

    def publish(self, user: str, team_id: str, content: Json, known_hash: str = "") -> View:
        """`views.publish`: this person's Home tab."""
        before = self._homes.get(user)
        if known_hash and (before is None or before.hash != known_hash):
            raise Refused("hash_conflict")
        view = self._made(user, team_id, content, "home")
        self._homes[user] = replace(view, id=before.id) if before else view
        return self._homes[user]

    def update(self, view: View, content: Json, known_hash: str = "") -> View:
        """`views.update`: other content in the same place; raises Refused."""
        if known_hash and known_hash != view.hash:
            raise Refused("hash_conflict")
        self._check(content, str(view.content["type"]), except_for=view.id)
        return self._replace(replace(view, content=self._stored(content), hash=self.ids("h"), errors={}))

    def mark(self, view: View, errors: Json) -> View:
        """Show errors beside the fields."""
        return self._replace(replace(view, errors=errors))

    def close(self, view: View) -> None:
        """Take one modal off its stack; it may already be gone."""
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [other for other in stack if other.id != view.id]

    def clear(self, user: str) -> None:
        """Close all of this person's modals."""
        self._stacks[user] = []

    def _replace(self, view: View) -> View:
        if view.is_home:
            self._homes[view.user] = view
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [view if other.id == view.id else other for other in stack]
        return view

    def _made(self, user: str, team_id: str, content: Json, kind: str) -> View:
        self._check(content, kind)
        return View(self.ids("V"), user, team_id, self.ids("h"), self._stored(content))

    def _check(self, content: Json, kind: str, except_for: str = "") -> None:
        check_view(content)
        if content["type"] != kind:
            raise Refused("invalid_arguments", f"[ERROR] must be {kind} [json-pointer:/view/type]")
        if len(str(content)) > _LARGEST:
            raise Refused("view_too_large")
        external = content.get("external_id")
        taken = (view for view in self.everything() if external and view.content.get("external_id") == external)
        if any(view.id != except_for for view in taken):
            raise Refused("duplicate_external_id")

    def _stored(self, content: Json) -> Json:
        return as_stored(content, self.ids)
