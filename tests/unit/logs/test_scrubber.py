"""No secret leaves in a log line, wherever it hides; and ordinary words stay readable."""

import time
from typing import Any

import pytest

from bot.scrubber import GONE, scrubber

SCRUB = scrubber(["hunter22-secret", "hunter22", "abc", ""])


def scrubbed(**event: Any) -> dict[str, Any]:  # noqa: ANN401 - a log event holds anything
    return dict(SCRUB(None, "info", event))


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "twokey_token",
        "SECRET_KEY",
        "client_secret",
        "password",
        "Authorization",
        "x-api-key",
        "Set-Cookie",
        "api_key",
        "openai_api_key",
        "webhook-signature",
        "private_key",
        "tokens",
        "credentials",
    ],
)
def test_a_field_with_such_a_name_is_emptied(name: str) -> None:
    assert scrubbed(**{name: "x y z"}) == {name: GONE}
    assert scrubbed(a={"b": [{name: "x y z"}]}) == {"a": {"b": [{name: GONE}]}}


@pytest.mark.parametrize(
    "name", ["input_tokens", "total_tokens", "tokenizer", "passage", "idempotency_key", "author", "monkey", "key"]
)
def test_a_field_that_only_sounds_like_it_is_left(name: str) -> None:
    assert scrubbed(**{name: "x"}) == {name: "x"}


def test_numbers_are_no_secrets() -> None:
    assert scrubbed(token=3, secret=None, password=True) == {"token": 3, "secret": None, "password": True}


@pytest.mark.parametrize(
    "text, left",
    [
        ("xoxb-12345-abcdef", GONE),
        ("got xapp-1-A0-99-ff, then", f"got {GONE}, then"),
        ("xoxe.xoxb-1-abcdefgh", GONE),
        ("sk-proj-abcdefghijklmnop", GONE),
        ("whsec_MDEyMzQ1Njc4OWFi=", GONE),
        ("authorization: Bearer abc.def-ghi", f"authorization: Bearer {GONE}"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", f"{{'Authorization': 'Basic {GONE}'}}"),
        ("postgresql+psycopg://user:pa:ss@host/db", f"postgresql+psycopg://{GONE}@host/db"),
        ("smtp://u@host:25", f"smtp://{GONE}@host:25"),
        ("the key hunter22-secret is known", f"the key {GONE} is known"),
        ("POST /approvals/WyJhcHJfYTIiXQ0123.AbC-d_9 done", f"POST /approvals/{GONE} done"),
        (f"to agent+a.{'a' * 20}.{'b' * 16}@acme.example", f"to agent+a.{'a' * 20}.{GONE}@acme.example"),
        ("[type=int, input_value='the mail', input_type=str]", f"[type=int, input_value={GONE}, input_type=str]"),
        ("[SQL: INSERT]\n[parameters: ('the', ['mail'])]\nend", f"[SQL: INSERT]\n[parameters: {GONE}]\nend"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out(text: str, left: str) -> None:
    assert scrubbed(event=text, deep=[{"x": text}]) == {"event": left, "deep": [{"x": left}]}


@pytest.mark.parametrize(
    "text",
    [
        "abc is too short to be looked for",
        "https://twokey.example/api/approvals/apr_a2a2a2a2a2a2a2a2a2a2/decision",
        "https://host/path?to=a@b.example",
        "mail from ada@acme.example",
        "task-list and desk-lamp",
        "the bearer of news",
        "Basic questions about orders",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert scrubbed(event=text) == {"event": text}


def test_other_objects_are_written_as_text_without_secrets() -> None:
    class Thing:
        def __str__(self) -> str:
            return "thing with hunter22"

    assert scrubbed(a=Thing(), b=b"hunter22", c=("hunter22", 1)) == {
        "a": f"thing with {GONE}",
        "b": GONE,
        "c": [GONE, 1],
    }


@pytest.mark.parametrize(
    "hostile",
    ["a://", "Bearer ", "authorization ", "input_value=", "[parameters: ", "/approvals/", "xoxb-", "agent+a.", "x.y-"],
)
def test_a_long_text_takes_no_long_time(hostile: str) -> None:
    began = time.process_time()
    scrubbed(event=hostile * (200_000 // len(hostile)))

    assert time.process_time() - began < 2
