"""Runs one tool call and turns whatever comes of it into an event. A tool can fail in any way; the loop cannot."""

import asyncio
import contextlib
import contextvars
import inspect
import json
import threading
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from pydantic import BaseModel, JsonValue

from agent.errors import BadArguments
from agent.events import ToolCall, ToolFailed, ToolReturned
from agent.ports import Clock
from agent.tool import Tool, ToolContext

log = structlog.get_logger()

MAX_ERROR = 4_000
PREVIEW_LIMIT = 5.0
"""Seconds that a preview may take."""


async def run(tool: Tool, call: ToolCall, context: ToolContext, clock: Clock) -> ToolReturned | ToolFailed:
    """What came of the call. Never raises for anything the tool does, short of cancellation."""
    try:
        arguments = tool.check(call.arguments)
    except BadArguments as error:
        return ToolFailed(at=clock.now(), call_id=call.id, why="invalid", error=str(error))
    if tool.context_parameter:
        arguments[tool.context_parameter] = context
    try:
        async with asyncio.timeout(tool.time_limit):
            result = _as_json(await _call(tool.function, arguments))
    except TimeoutError:
        text = f"took longer than {tool.time_limit:g} s and was given up"
        text += "" if tool.effect == "read" else "; it may have happened all the same"
        return ToolFailed(at=clock.now(), call_id=call.id, why="timed_out", error=text)
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # whatever a tool raises is for the model to read
        if _is_for_us(error):
            raise
        log.info("tool.raised", tool=tool.name, call_id=call.id, error_type=type(error).__name__)
        error_text = _explain(error)
        return ToolFailed(at=clock.now(), call_id=call.id, why="raised", error=error_text, is_outside=tool.is_outside)
    return ToolReturned(at=clock.now(), call_id=call.id, result=result, is_outside=tool.is_outside)


async def preview(tool: Tool, call: ToolCall) -> str:
    """What the tool says the call would do; "" when it has no preview, a note when the preview fails."""
    if tool.preview is None:
        return ""
    try:
        async with asyncio.timeout(PREVIEW_LIMIT):
            return str(await _call(tool.preview, tool.check(call.arguments)))
    except TimeoutError:
        return "(the preview took too long)"
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # a broken preview must not hide the arguments
        if _is_for_us(error):
            raise
        log.warning("tool.preview_failed", tool=tool.name, error_type=type(error).__name__)
        return f"(the preview failed: {type(error).__name__})"


async def _call(function: object, arguments: dict[str, object]) -> object:
    """Async functions run here, others in a thread so that they do not hold up anybody else."""
    assert callable(function)  # noqa: S101 - for the type checker
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await _in_thread(partial(function, **arguments))
    return await result if isinstance(result, Awaitable) else result


async def _in_thread(function: Callable[[], object]) -> object:
    """A thread of its own, that does not keep the process from ending: Python would wait for those of its executor."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    outcome: list[object] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            failure.append(error)
        if not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it may close in this very moment
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="tool", daemon=True).start()
    await done.wait()
    if failure:
        raise failure[0]
    return outcome[0]


def _is_for_us(error: BaseException) -> bool:
    """Whether it is we who are cancelled. A tool can raise the same by itself, and then it has failed."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)


def _as_json(result: object) -> JsonValue:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    text = json.dumps(result, default=str, ensure_ascii=False)
    value: JsonValue = json.loads(text)
    return value


def _explain(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}"[:MAX_ERROR] if text else type(error).__name__
