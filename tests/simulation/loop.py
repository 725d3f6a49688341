"""An asyncio event loop without time, threads or sockets: its clock moves only when nothing is left to run at a moment.

Each handle belongs to the simulated process whose context it carries. What belongs to a process that is frozen is put
aside until it thaws; what belongs to a dead one is never run.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Owner(Protocol):
    """A simulated process, as the loop sees it."""

    runs: bool
    parked: list[asyncio.Handle]


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""The process that is running now; None for the world itself."""


class Task(asyncio.Task[T]):
    """A task whose place in a set does not depend on where in memory it lies: a schedule must replay exactly."""

    count = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of asyncio
        Task.count += 1
        self.number = Task.count
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        """Its number."""
        return self.number

    def __eq__(self, other: object) -> bool:
        """Only itself."""
        return self is other


class VirtualLoop(asyncio.AbstractEventLoop):
    """What asyncio needs of a loop, and no more."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tasks: list[Task[Any]] = []
        self.complaints: list[str] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0

    # --- what asyncio calls -----------------------------------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds."""
        return self.now

    def get_debug(self) -> bool:
        """Never."""
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Run it at this moment, after what is ready."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it after so many virtual seconds."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it at that virtual moment."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> Task[T]:
        """A task of this loop; kept, so that nothing is collected while it waits."""
        task: Task[T] = Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        return task

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: object) -> asyncio.Future[T]:
        """There are no threads: it is done at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on, as an executor does
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody else has caught."""
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is skipped when its moment comes."""

    # --- what the simulation calls ----------------------------------------------------------------------------------

    def unpark(self, owner: Owner) -> None:
        """A process thaws: what was put aside is run now."""
        self._ready.extend(owner.parked)
        owner.parked.clear()

    def run_ready(self) -> None:
        """All that is to be run at this moment."""
        while self._ready:
            handle = self._ready.popleft()
            if handle.cancelled():
                continue
            owner = _owner(handle)
            if owner is None or owner.runs:
                handle._run()
            else:
                owner.parked.append(handle)

    def next_timer(self) -> float | None:
        """When the next timer is due."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def next_outside(self) -> float:
        """When the next timer is due that belongs to no process; never is infinite."""
        outside = (when for when, _, handle in self._timers if not handle.cancelled() and not _owner(handle))
        return min(outside, default=float("inf"))

    def run_until(self, moment: float) -> None:
        """Everything up to that moment, in order."""
        self.run_ready()
        while (due := self.next_timer()) is not None and due <= moment:
            self.now = max(self.now, due)
            self._fire()
            self.run_ready()
        self.now = max(self.now, moment)

    def jump(self, moment: float) -> None:
        """Pass over time in which nothing could happen; timers fire late, as they do on a busy machine."""
        self.now = max(self.now, moment)

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            handle = heapq.heappop(self._timers)[2]
            if not handle.cancelled():
                self._ready.append(handle)

    def close_down(self, owners: list[Owner]) -> None:
        """End every task, of the dead too, so that nothing is left half-way."""
        for owner in owners:
            owner.runs = True
            self.unpark(owner)
        for _ in range(20):
            pending = [task for task in self.tasks if not task.done()]
            if not pending:
                break
            for task in pending:
                task.cancel()
            self.run_ready()
        left = [task for task in self.tasks if not task.done()]
        assert not left, f"would not end: {left}"
        for task in self.tasks:
            if not task.cancelled():
                task.exception()


def _owner(handle: asyncio.Handle) -> Owner | None:
    owner: Owner | None = handle._context.get(OWNER)  # type: ignore[attr-defined]  # where a handle keeps it
    return owner
