"""`finish`: the agent's own word that the work of a thread is done. A later message opens the thread again."""

from dataclasses import replace

from agent.tool import Tool, tool


def _finish(summary: str) -> str:
    """Close this conversation because what was asked for is done, or cannot be done.

    Only call it when nothing is left to do or to wait for, and never together with other tools. For an ordinary
    answer, just write it.

    Args:
        summary: What was done and what came of it, in one or two sentences. It is sent as your last message.
    """
    raise NotImplementedError(summary)  # never called: the reducer makes an effect of it, of its own


finish: Tool = replace(tool(name="finish", effect="read")(_finish), is_control=True)
