"""`ask_human`: a question to a person (factor 7: contact humans with tool calls). The answer resumes the thread."""

from dataclasses import replace

from agent.tool import Tool, tool


def _ask_human(question: str, choices: list[str] = [], role: str = "") -> str:  # noqa: B006 - becomes a schema, never runs
    """Ask a person a question and wait for the answer, however long it takes.

    Use it when a decision or a fact is missing that no tool can give you. Without `role` whoever takes part in this
    conversation answers; with `role` the people who hold that role are asked, wherever they are. Ask one thing at a
    time, with everything that the person needs to answer it. Never use it to have a tool call approved: calls that
    need approval are held back by themselves.

    Args:
        question: The question, complete in itself, in the language of the person.
        choices: Two to five short answers to choose from; leave it empty for an answer in free words.
        role: Role of the people to ask, for instance "finance"; empty for those in this conversation.
    """
    raise NotImplementedError(question, choices, role)  # never called: the reducer makes an effect of it, of its own


ask_human: Tool = replace(tool(name="ask_human", effect="read")(_ask_human), is_control=True)
