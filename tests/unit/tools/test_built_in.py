"""The built-in tools are descriptions for the model; the reducer acts on them, and they never run."""

import pytest

from agent.errors import BadArguments
from agent.tools import BUILT_IN
from agent.tools.ask_human import ask_human
from agent.tools.finish import finish


def test_they_steer_and_are_never_judged() -> None:
    assert [(tool.name, tool.is_control, tool.effect) for tool in BUILT_IN] == [
        ("ask_human", True, "read"),
        ("finish", True, "read"),
    ]


def test_a_question_needs_its_words_only() -> None:
    assert ask_human.check({"question": "Which?"}) == {"question": "Which?", "choices": [], "role": ""}
    assert ask_human.parameters["required"] == ["question"]
    with pytest.raises(BadArguments, match="question"):
        ask_human.check({})
    with pytest.raises(BadArguments, match="approve"):
        ask_human.check({"question": "Which?", "approve": True})


def test_every_argument_is_explained_to_the_model() -> None:
    for tool in BUILT_IN:
        assert tool.description
        properties = tool.parameters["properties"]
        assert isinstance(properties, dict)
        assert all(isinstance(each, dict) and each["description"] for each in properties.values())


def test_they_do_not_run() -> None:
    with pytest.raises(NotImplementedError):
        ask_human.function("Which?")
    with pytest.raises(NotImplementedError):
        finish.function("Done.")
