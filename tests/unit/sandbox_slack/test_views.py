"""Each person's stack of modals and Home tab: what opens, changes, closes, and what is refused."""

from itertools import count
from typing import Any

import pytest

from sandbox.slack.refused import Refused
from sandbox.slack.views import Views

BLOCKS = [{"type": "divider"}]


@pytest.fixture
def views() -> Views:
    numbers = count(1)
    return Views(lambda prefix: f"{prefix}{next(numbers)}")


def modal(title: str = "T", **more: object) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": BLOCKS, **more}


def test_a_pushed_view_knows_its_root_and_the_one_before(views: Views) -> None:
    first = views.show("U", "T", modal())
    second = views.push("U", "T", modal())
    third = views.push("U", "T", modal())
    body = third.as_json("A", "B")
    assert (body["root_view_id"], body["previous_view_id"]) == (first.id, second.id)
    with pytest.raises(Refused, match="push_limit_reached"):
        views.push("U", "T", modal())
    views.close(third)
    assert [view.id for view in views.open_of("U")] == [first.id, second.id]
    views.clear("U")
    with pytest.raises(Refused, match="not_found"):
        views.push("U", "T", modal())


def test_an_update_needs_the_hash_that_is_current(views: Views) -> None:
    view = views.show("U", "T", modal("Loading"))
    changed = views.update(view, modal("Loaded"), view.hash)
    assert views.open_of("U")[0].content["title"]["text"] == "Loaded"
    with pytest.raises(Refused, match="hash_conflict"):
        views.update(changed, modal("Late"), view.hash)


def test_a_home_tab_keeps_its_id_and_cannot_become_a_modal(views: Views) -> None:
    home = {"type": "home", "blocks": BLOCKS}
    first = views.publish("U", "T", home)
    assert views.publish("U", "T", home, first.hash).id == first.id
    with pytest.raises(Refused, match="hash_conflict"):
        views.publish("U", "T", home, first.hash)
    with pytest.raises(Refused, match="must be home"):
        views.publish("U", "T", modal())
    assert views.update(first, home).is_home


def test_an_external_id_is_found_and_used_only_once(views: Views) -> None:
    view = views.show("U", "T", modal(external_id="ap_1"))
    assert views.find(external_id="ap_1") == view
    with pytest.raises(Refused, match="duplicate_external_id"):
        views.show("V", "T", modal(external_id="ap_1"))
    views.update(view, modal("again", external_id="ap_1"))
    with pytest.raises(Refused, match="not_found"):
        views.find(external_id="ap_2")


def test_errors_show_until_the_view_changes(views: Views) -> None:
    view = views.mark(views.show("U", "T", modal()), {"reason": "too short"})
    assert views.open_of("U")[0].errors == {"reason": "too short"}
    assert views.update(view, modal()).errors == {}


def test_a_view_larger_than_slack_takes_is_refused(views: Views) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    with pytest.raises(Refused, match="view_too_large"):
        views.show("U", "T", {**modal(), "blocks": [section] * 90})
