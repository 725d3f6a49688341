"""Prompts: strict when they are loaded, so that they cannot fail when they are needed."""

import hashlib
from pathlib import Path

import pytest

from agent.errors import ConfigError
from bot import prompts
from bot.prompts import FilePrompt
from tests.fixtures import ROOT

HEAD = "---\nname: greet\nversion: 1.0.0\ndescription: Greets.\nvariables:\n  who: Whom.\n---\n"


def parse(text: str) -> FilePrompt:
    return prompts.parse(text, "prompts/greet.md", "greet")


def test_a_prompt_is_rendered_and_stamped_with_what_was_shown() -> None:
    text, stamp = parse(HEAD + "Hello {{ who }}.\n").render({"who": "<Ada & co>", "more": "is no harm"})

    assert text == "Hello <Ada & co>.\n"
    assert (stamp.name, stamp.version) == ("greet", "1.0.0")
    assert stamp.digest == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_value_is_text_and_never_a_template() -> None:
    text, _ = parse(HEAD + "{{ who }}").render({"who": "{{ 7 * 7 }}"})

    assert text == "{{ 7 * 7 }}\n"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(ConfigError, match="prompt greet: no value for who"):
        parse(HEAD + "{{ who }}").render({})


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("Hello", "prompts/greet.md:1: must begin with a head"),
        (HEAD.replace("1.0.0", "v1"), "prompts/greet.md:3: version: String should match"),
        (HEAD.replace("version: 1.0.0\n", ""), "prompts/greet.md:2: version: is missing"),
        (HEAD.replace("greet", "hello"), "prompts/greet.md:2: name: must be greet, as the file is called"),
        (HEAD.replace("description:", "summary:"), "summary: is not known here"),
        (HEAD + "{{ who }} {{ whom }}", "prompts/greet.md:5: variables: the text uses whom, which is not listed"),
        (HEAD + "nobody", "prompts/greet.md:6: variables.who: is listed, and the text does not use it"),
        (HEAD + "\n{{ who", "prompts/greet.md:9: "),
        (HEAD + "{% if who %}", "prompts/greet.md:8: "),
        (HEAD + "{{ who.name }}", "prompts/greet.md: cannot be rendered: "),
        (HEAD + "{{ who.__class__.__mro__ }}", "prompts/greet.md: cannot be rendered: "),
        (HEAD + "{{ who | shout }}", "prompts/greet.md:8: No filter named 'shout'"),
        (HEAD + "{{ who }}{% include 'x' %}", "prompts/greet.md: cannot be rendered: "),
        (HEAD + "{{ who + 1 }}", "prompts/greet.md: cannot be rendered: "),
        ("---\nname: [\n---\n", "prompts/greet.md:3: not YAML"),
    ],
)
def test_what_would_fail_later_fails_when_it_is_loaded(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)

    assert complaint in str(caught.value)


def test_every_prompt_that_is_wrong_is_reported(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_text("nothing")
    (tmp_path / "prompts" / "b.md").write_bytes(b"\xff")

    with pytest.raises(ConfigError) as caught:
        prompts.load(tmp_path)

    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["prompts/a.md", "prompts/b.md"]


def test_the_example_prompt_names_the_agent_and_the_fence() -> None:
    text, _ = prompts.load(ROOT)["assistant"].render({"agent_name": "Lamp"})

    assert text.startswith("You are Lamp,")
    assert '<message from="' in text
    assert "{{" not in text
