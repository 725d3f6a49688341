"""How much was asked and answered, counted roughly and openly: four characters are a token. Pure."""

from dataclasses import replace

from sandbox.model.answer import Answer
from sandbox.model.ask import Ask, Called, Returned, Said, Thought


def counted(ask: Ask, answer: Answer) -> tuple[int, int]:
    """Tokens in and out."""
    given = 0
    for item in ask.items:
        match item:
            case Said(text=text) | Returned(output=text) | Called(arguments=text):
                given += len(text)
            case Thought():
                pass
    made = len(answer.text) + len(answer.reasoning) + sum(len(call.name) + len(call.arguments) for call in answer.calls)
    return given // 4 + 1, made // 4 + 1


def within(ask: Ask, answer: Answer) -> Answer:
    """The answer, cut where the asker's limit cuts it. Calls do not survive a cut."""
    if ask.max_tokens is None or counted(ask, answer)[1] <= ask.max_tokens:
        return answer
    return replace(answer, text=answer.text[: ask.max_tokens * 4], calls=(), stop="length")
