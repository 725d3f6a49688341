"""What the doors that people decide through (the page, REST) ask beside the gate: does this fit.

The gate alone decides. These only find the right words and status for what it would refuse anyway.
"""

from typing import Literal

from pydantic import ValidationError

from agent.conversation import JsonObject
from agent.events import ApprovalRequested
from agent.tool import Tool
from approvals.decision import Answer, Approve, Choice, Reject


def refused_status(request: ApprovalRequested, choice: Choice, tool: Tool | None) -> Literal[403, 409, 422]:
    """The HTTP status for a choice that the gate refused from somebody who may decide.

    422 when it is no answer to the request, 409 when what would run has changed, 403 when the policy is against it."""
    match choice:
        case Approve(digest) if request.about == "call":
            is_same = tool is not None and digest == request.digest == tool.digest(request.arguments)
            return 403 if is_same else 409
        case Reject() if request.about in {"call", "question"}:
            return 403
        case Answer(text) if request.about in {"call", "question"} or text in request.choices:
            return 403
        case _:
            return 422


def argument_problems(tool: Tool | None, arguments: JsonObject) -> dict[str, str]:
    """What the tool has against each argument, by its name. Under "" stands what is about none of them."""
    if tool is None:
        return {}
    try:
        tool.arguments_model.model_validate(arguments)
    except ValidationError as error:
        found: dict[str, list[str]] = {}
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            name, *rest = [str(part) for part in each["loc"]] or [""]
            found.setdefault(name, []).append(f"{'.'.join(rest)}: {each['msg']}" if rest else each["msg"])
        return {name: "; ".join(texts) for name, texts in found.items()}
    return {}
