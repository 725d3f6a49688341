"""Threads over REST: launched once, looked at, written to, stopped."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.conversation import ApiThread, SlackThread
from agent.events import MessageReceived, ModelResponded, ThreadClosed
from agent.verdict import Approved
from tests.desk import ADA, Desk, desk_at, refund
from tests.integration.api.conftest import Caller, application_of, problem


async def test_a_thread_is_launched_as_the_person_of_the_token(desk: Desk, ada: Caller) -> None:
    started = await ada.post("/threads", {"text": "Where is order 1042?"})

    assert started.status_code == 201
    thread_id = started.json()["id"]
    (entry,) = await desk.threads.entries(thread_id)
    assert isinstance(entry.event, MessageReceived)
    assert (entry.event.text, entry.event.sender) == ("Where is order 1042?", ADA)
    assert isinstance(await desk.threads.conversation(thread_id), ApiThread)
    assert await desk.threads.due() == [thread_id]


async def test_a_service_may_launch_and_read(crm: Caller) -> None:
    started = await crm.post("/threads", {"text": "Nightly check"})

    assert started.status_code == 201
    assert (await crm.get(f"/threads/{started.json()['id']}")).status_code == 200


@pytest.mark.parametrize("agent, status", [("billing", 201), ("support", 201), ("nobody", 422)])
async def test_an_agent_is_named_or_refused(desk: Desk, ada: Caller, agent: str, status: int) -> None:
    started = await ada.post("/threads", {"text": "Hello", "agent": agent})

    assert started.status_code == status
    rows = await desk.threads.recent()
    assert [row["agent"] for row in rows] == ([agent] if status == 201 else [])


async def test_the_same_request_sent_twice_launches_one_thread(desk: Desk, ada: Caller, lee: Caller) -> None:
    first = await ada.post("/threads", {"text": "Once"}, key="k-1")
    again = await ada.post("/threads", {"text": "Once"}, key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await lee.post("/threads", {"text": "Once"}, key="k-1")).json() != first.json()
    assert (await ada.post("/threads", {"text": "Once"}, key="k-2")).json() != first.json()
    assert len(await desk.threads.recent()) == 3


async def test_a_key_that_was_used_for_something_else_is_refused(ada: Caller) -> None:
    await ada.post("/threads", {"text": "Once"}, key="k-1")

    reused = await ada.post("/threads", {"text": "Something else"}, key="k-1")

    assert reused.status_code == 422
    assert problem(reused)["code"] == "key_reused"


@pytest.mark.parametrize("key", ["x" * 256, "tab\tinside", "\x7f"])
async def test_a_key_that_is_no_word_is_refused(ada: Caller, key: str) -> None:
    assert (await ada.post("/threads", {"text": "Hello"}, key=key)).status_code == 422


async def test_a_message_is_taken_in_once_wherever_the_thread_lives(desk: Desk, ada: Caller) -> None:
    place = SlackThread(team="T1", channel="C1", thread_ts="1.2")
    said = MessageReceived(at=desk.clock.now(), delivery_id="d1", sender=ADA, text="In Slack")
    thread_id = await desk.threads.take_in(place, said, keys=["k"], new_id=desk.ids.new("thr"))

    for _ in range(2):
        assert (await ada.post(f"/threads/{thread_id}/messages", {"text": "Also this"}, key="m1")).status_code == 202
    await ada.post(f"/threads/{thread_id}/messages", {"text": "And that"})

    events = [entry.event for entry in await desk.threads.entries(str(thread_id))]
    assert [each.text for each in events if isinstance(each, MessageReceived)] == ["In Slack", "Also this", "And that"]


async def test_a_thread_is_shown_with_its_events_replies_and_open_approvals(desk: Desk, ada: Caller) -> None:
    asked = await desk.ask()
    thread_id = (await desk.facts(asked)).thread_id

    shown = (await ada.get(f"/threads/{thread_id}")).json()

    assert shown["status"] == "waiting"
    assert [(each["seq"], each["event"]["kind"]) for each in shown["events"]] == [
        (1, "message_received"),
        (2, "model_responded"),
        (3, "approval_requested"),
    ]
    assert [each["id"] for each in shown["approvals"]] == [asked]

    await desk.decide(asked, Approved(digest=refund.digest({})))
    assert (await ada.get(f"/threads/{thread_id}")).json()["status"] == "working"
    await desk.finish(thread_id, "The money is on its way.")
    shown = (await ada.get(f"/threads/{thread_id}")).json()
    assert (shown["status"], shown["approvals"]) == ("idle", [])
    assert [(each["text"], each["status"]) for each in shown["replies"]] == [("The money is on its way.", "sent")]


async def test_a_reply_on_its_way_is_shown_as_such(desk: Desk, ada: Caller) -> None:
    thread_id = (await ada.post("/threads", {"text": "Hello"})).json()["id"]
    await desk.threads.inform(thread_id, [ModelResponded(at=desk.clock.now(), seen=1, text="Hi there")])

    shown = (await ada.get(f"/threads/{thread_id}")).json()

    assert shown["status"] == "working"
    assert [(each["id"], each["text"], each["status"]) for each in shown["replies"]] == [("r2", "Hi there", "pending")]


async def test_a_closed_thread_says_so(desk: Desk, ada: Caller) -> None:
    thread_id = (await ada.post("/threads", {"text": "Hello"})).json()["id"]
    now = desk.clock.now()
    await desk.threads.inform(thread_id, [ModelResponded(at=now, seen=1), ThreadClosed(at=now)])

    assert (await ada.get(f"/threads/{thread_id}")).json()["status"] == "closed"


async def test_a_thread_that_failed_too_often_says_so(desk: Desk, ada: Caller) -> None:
    thread_id = (await ada.post("/threads", {"text": "Hello"})).json()["id"]
    assert (await ada.get(f"/threads/{thread_id}")).json()["status"] == "working"

    has_stalled = False
    while not has_stalled:
        desk.clock.move(60)
        held = await desk.threads.claim(thread_id)
        assert held is not None
        has_stalled = await held.give_up(1)

    assert (await ada.get(f"/threads/{thread_id}")).json()["status"] == "stalled"


async def test_stopping_a_thread_cancels_what_waits_and_is_done_once(desk: Desk, ada: Caller) -> None:
    asked = await desk.ask()
    thread_id = (await desk.facts(asked)).thread_id

    assert (await ada.post(f"/threads/{thread_id}/cancel")).status_code == 200
    length = len(await desk.threads.entries(thread_id))
    assert (await ada.post(f"/threads/{thread_id}/cancel")).status_code == 200

    assert len(await desk.threads.entries(thread_id)) == length
    assert await desk.outcome(asked) == "cancelled"
    assert (await ada.get(f"/threads/{thread_id}")).json()["status"] == "cancelled"


@pytest.mark.parametrize("thread_id", ["thr_aaaaaaaaaaaaaaaaaaaa", "x", "%00", "ä", "a b", "'"])
async def test_a_thread_that_is_not_there_is_not_found(ada: Caller, thread_id: str) -> None:
    for answer in (
        await ada.get(f"/threads/{thread_id}"),
        await ada.post(f"/threads/{thread_id}/messages", {"text": "Hello"}),
        await ada.post(f"/threads/{thread_id}/cancel"),
    ):
        assert answer.status_code == 404
        assert problem(answer)["code"] == "not_found"


@pytest.mark.parametrize(
    "content, fields",
    [
        ({}, {"text"}),
        ({"text": " \n\x00"}, {"text"}),
        ({"text": 7}, {"text"}),
        ({"text": "x" * 100_001}, {"text"}),
        ({"text": "x", "agnet": "support"}, {"agnet"}),
        ([], {""}),
        (None, {""}),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_field_by_field(
    desk: Desk, ada: Caller, content: object, fields: set[str]
) -> None:
    answer = await ada.client.post("/api/threads", headers=ada.headers, json=content)
    if content is None:
        answer = await ada.client.post("/api/threads", headers=ada.headers, content="null")

    assert answer.status_code == 422
    assert problem(answer)["fields"].keys() == fields
    assert await desk.threads.recent() == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"text": "\\ud800"}', b'{"text":' + b"[" * 10_000])
async def test_a_body_that_is_no_json_is_refused(ada: Caller, content: bytes) -> None:
    answer = await ada.client.post("/api/threads", headers=ada.headers, content=content)

    assert answer.status_code == 400
    assert problem(answer)["code"] == "not_json"


async def test_a_body_of_more_than_a_mebibyte_is_not_read(ada: Caller) -> None:
    answer = await ada.client.post("/api/threads", headers=ada.headers, content=b" " * (1024 * 1024 + 1))

    assert answer.status_code == 413
    assert problem(answer)["code"] == "too_large"


async def test_a_large_body_without_a_length_is_not_read_to_its_end(ada: Caller) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    answer = await ada.client.post("/api/threads", headers=ada.headers, content=endless())

    assert answer.status_code == 413
    assert sent < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic dG9rZW4=", "token-of-ada", "Bearer ä"]
)
async def test_without_a_token_nothing_is_done(client: httpx.AsyncClient, desk: Desk, value: str | None) -> None:
    headers = {b"Authorization": value.encode()} if value is not None else {}
    for method, path in (
        ("POST", "/threads"),
        ("GET", "/threads/x"),
        ("POST", "/threads/x/messages"),
        ("POST", "/threads/x/cancel"),
        ("GET", "/approvals"),
        ("GET", "/approvals/x"),
        ("POST", "/approvals/x/decision"),
    ):
        answer = await client.request(method, f"/api{path}", headers=headers, content=b"{")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith('Bearer realm="twokey"')
        assert answer.headers["cache-control"] == "no-store"
        assert problem(answer)["code"] == "unauthorized"
    assert await desk.threads.recent() == []


async def test_when_the_store_is_down_the_caller_is_told_to_come_again(tmp_path: Path) -> None:
    async with desk_at(tmp_path, is_down=True) as desk:
        transport = httpx.ASGITransport(application_of(desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent.example") as client:
            ada = Caller(client, "ada")
            answers = [await ada.post("/threads", {"text": "Hello"}), await ada.get("/approvals")]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert problem(answer)["code"] == "unavailable"
