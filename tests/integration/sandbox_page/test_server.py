"""The page's server: who may use it, what it says, and its stream of changes."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.app import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.page_url, trust_env=False) as made:
        yield made


SAY = {"user": "U0ADA", "channel": "C0SUPPORT", "text": "@Twokey and @Dana, not ada@Dana.example"}


async def test_a_gesture_is_made_and_typed_names_become_mentions(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/say", json=SAY)
    assert "did not take this" in answer.json()["trouble"]
    said = sandbox.slack.messages("C0SUPPORT")[0]["text"]
    assert said == "<@U0TWOKEY> and <@U0DANA>, not ada@Dana.example"


@pytest.mark.parametrize(
    "name, body, status",
    [
        ("say", {**SAY, "user": "U0NOBODY"}, 409),
        ("say", {"user": "U0ADA"}, 409),
        ("sing", {}, 409),
        ("click", {"user": "U0ADA", "channel": "C0SUPPORT", "ts": "1.2", "action_id": "x"}, 409),
        ("mail_send", {"sender": "x@y.example", "to": ["sam@customer.example"], "subject": "", "text": ""}, 409),
        ("mail_reply", {"mailbox": "sam@customer.example", "letter": "gone", "text": ""}, 409),
    ],
)
async def test_what_nobody_could_do_is_refused(
    client: httpx.AsyncClient, name: str, body: dict[str, object], status: int
) -> None:
    answer = await client.post(f"/api/{name}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_another_web_page_can_do_nothing(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    elsewhere = await client.post("/api/say", json=SAY, headers={"origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
    as_form = await client.post("/api/say", content=json.dumps(SAY), headers={"content-type": "text/plain"})
    assert as_form.status_code == 403
    rebound = await client.get("/api/slack", headers={"host": "elsewhere.example"})
    assert rebound.status_code == 400
    assert not sandbox.slack.messages("C0SUPPORT")


async def test_a_body_that_is_no_object_is_a_400(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    for body in ("[]", "{", ""):
        assert (await client.post("/api/say", content=body, headers=headers)).status_code == 400


async def test_the_page_says_what_it_is_and_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("http-equiv", "")
    model = (await client.get("/api/cast")).json()["model"]
    assert model == {"name": "sandbox-rules-1", "scripted": True}


async def _events(client: httpx.AsyncClient, count: int, **headers: str) -> list[tuple[str, str]]:
    """The first so many events: name and data."""
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(5), client.stream("GET", "/api/changes", headers=headers) as stream:
        name = ""
        async for line in stream.aiter_lines():
            key, _, value = line.partition(": ")
            name = value if key == "event" else name
            if key == "data":
                found.append((name, value))
            if len(found) == count:
                break
    return found


async def test_the_stream_begins_with_the_log_so_far_and_goes_on(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    sandbox.feed_log('{"event": "first"}')
    reading = asyncio.ensure_future(_events(client, 3))
    await asyncio.sleep(0.2)
    sandbox.feed_log("plain words\n")
    sandbox.mail.send("sam@customer.example", "dana@acme.example", "Hello", "Hi")
    events = await reading
    assert events[:2] == [("log", '{"event": "first"}'), ("log", '{"event": "plain words"}')]
    assert events[2][0] == "mail"


async def test_a_stream_taken_up_again_repeats_nothing(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    for name in ("one", "two", "three"):
        sandbox.feed_log(json.dumps({"event": name}))
    events = await _events(client, 1, **{"last-event-id": "2"})
    assert events == [("log", '{"event": "three"}')]


async def test_mail_is_shown_with_what_was_found_out_about_its_sender(
    sandbox: Sandbox, client: httpx.AsyncClient
) -> None:
    sandbox.mail.send("sam@customer.example", "dana@acme.example", "Hello", "Hi", html="<b>Hi</b>")
    sandbox.mail.forge("lee@acme.example", "dana@acme.example", "Pay", "Now")
    letters = (await client.get("/api/mail")).json()["letters"]
    received = {letter["subject"]: letter for letter in letters if letter["folder"] == "inbox"}
    assert (received["Hello"]["dmarc"], received["Hello"]["from_name"]) == ("pass", "Sam Poole")
    assert received["Pay"]["dmarc"] == "fail"
