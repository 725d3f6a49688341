"""Judges a run by what it left: each function is one invariant of the design, and gives what breaks it, in words. Pure.

A run that is not at rest is judged all the same; `restless` says so.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    MessageReceived,
    ModelResponded,
    ReplySent,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.thread import RUN_AGAIN
from agent.verdict import Answered, Approved
from store.codec import genesis, link_hash
from tests.faults.evidence import Effect, Evidence, Thread
from tests.faults.stories import GATED, MARK

ENTITLED = frozenset({"dana", "lee"})
"""Whom the policy of the deployment lets decide, about every tool that it asks about."""
IDEMPOTENT = frozenset({"stamp"})

Problems = Iterator[str]


def messages_lost(evidence: Evidence) -> Problems:
    """What was acknowledged is in a log."""
    there = {mark for thread in evidence.threads for mark in _marks(thread)}
    yield from (f"{mark} was acknowledged and is in no log" for mark in sorted(evidence.acknowledged - there))


def messages_taken_twice(evidence: Evidence) -> Problems:
    """However often it was delivered, it is in one log once."""
    counts = Counter(mark for thread in evidence.threads for mark in _marks(thread))
    yield from (f"{mark} is in the logs {n} times" for mark, n in counts.items() if n > 1)


def gaps(evidence: Evidence) -> Problems:
    """Places count from 1 without a gap, up to what the row says."""
    for thread in evidence.threads:
        places = [link.seq for link in thread.links]
        if places != list(range(1, thread.last_seq + 1)):
            yield f"{thread.id} has places {places}, and its row says {thread.last_seq}"


def broken_chains(evidence: Evidence) -> Problems:
    """Each event is chained to the one before it, and the row to the last."""
    for thread in evidence.threads:
        head = genesis(thread.id)
        for link in thread.links:
            head = link_hash(head, link.seq, link.kind, link.at, link.digest)
            if head != link.hash:
                yield f"{thread.id} is broken at {link.seq}"
                break
        else:
            if head != thread.head:
                yield f"{thread.id} ends in another hash than its row's"


def unapproved_starts(evidence: Evidence) -> Problems:
    """A call that the policy asks about starts only with an approval of its digest by somebody entitled before it, and
    no tool ran without its start on record."""
    for thread in evidence.threads:
        granted: set[tuple[str, str]] = set()
        for seq, event in thread.events:
            if isinstance(event, ApprovalDecided) and event.by is not None and event.by.person in ENTITLED:
                asked = _asked(thread)[event.approval_id]
                if (digest := _granted(event, asked)) is not None:
                    granted.add((asked.call_id, digest))
            elif (
                isinstance(event, ToolStarted) and event.tool in GATED and (event.call_id, event.digest) not in granted
            ):
                yield f"{thread.id} started {event.tool} at {seq} without an approval"
    starts = {f"{t.id}.{e.call_id}" for t in evidence.threads for _, e in t.events if isinstance(e, ToolStarted)}
    for effect in evidence.effects:
        if effect.key not in starts:
            yield f"{effect.tool} ran under {effect.key}, and no log says that it started"


def _granted(decided: ApprovalDecided, asked: ApprovalRequested) -> str | None:
    """The digest of what may run after this."""
    match decided.decision:
        case Approved(digest=digest):
            return digest
        case Answered(text=answer) if asked.about == "in_doubt" and answer == RUN_AGAIN:
            return asked.digest
        case _:
            return None


def doubled_effects(evidence: Evidence) -> Problems:
    """By itself a call is run once; more often only as often as somebody said so, or where that does no harm."""
    allowed = Counter(key for thread in evidence.threads for key in _run_again(thread))
    counts = Counter((effect.key, effect.tool) for effect in evidence.effects)
    for (key, tool), n in counts.items():
        if tool not in IDEMPOTENT and n > 1 + allowed[key]:
            yield f"{tool} ran {n} times under {key}; people asked for {allowed[key]} of them"


def in_doubt(evidence: Evidence) -> tuple[int, int]:
    """How many starts never came back, and how many of them a person was asked about (or need not be)."""
    left = [unasked for thread in evidence.threads for unasked in _unanswered(thread)]
    return len(left), sum(asked for _, asked in left)


def doubts_unasked(evidence: Evidence) -> Problems:
    """A call that started and never came back is asked about."""
    for thread in evidence.threads:
        for start, asked in _unanswered(thread):
            if not asked:
                yield f"{thread.id}: {start.tool} started as {start.call_id}, never came back, and nobody was asked"


def effects_of_refused_calls(evidence: Evidence) -> Problems:
    """What was rejected, ran out or was cancelled has not run."""
    ran = {effect.key for effect in evidence.effects}
    for thread in evidence.threads:
        refused: dict[str, str] = {}
        asked = _asked(thread)
        for _, event in thread.events:
            if isinstance(event, ApprovalDecided) and asked[event.approval_id].about == "call":
                call_id = asked[event.approval_id].call_id
                refused[call_id] = "" if isinstance(event.decision, Approved) else event.decision.outcome
        for call_id, outcome in refused.items():
            if outcome and f"{thread.id}.{call_id}" in ran:
                yield f"{thread.id}: {call_id} was {outcome}, and ran"


def doubled_messages(evidence: Evidence) -> Problems:
    """A reply or a card is said once: on Slack by the key it carries, by mail by its Message-ID."""
    shown = Counter((post.channel, post.key, post.part) for post in evidence.posts)
    yield from (f"{key} part {part} is in {channel} {n} times" for (channel, key, part), n in shown.items() if n > 1)
    replies: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mail in evidence.mails:
        if mail.approval or mail.mark:
            replies[(mail.mailbox, mail.approval or mail.mark)].add(mail.message_id)
    for (mailbox, about), ids in replies.items():
        if len(ids) > 1:
            yield f"{mailbox} was told of {about} in {len(ids)} mails"
    answers = Counter((post.channel, post.mark) for post in evidence.posts if post.mark and not _is_card(post.key))
    yield from (f"{mark} was answered {n} times in {channel}" for (channel, mark), n in answers.items() if n > 1)


def unsent_replies(evidence: Evidence) -> Problems:
    """What the log calls sent is there, and what is there the log calls sent."""
    keys = {post.key for post in evidence.posts if not _is_card(post.key)}
    ids = {mail.message_id for mail in evidence.mails}
    logged: set[str] = set()
    for thread in evidence.threads:
        for _, event in thread.events:
            if isinstance(event, ReplySent) and event.receipts:
                key = f"{thread.id}.{event.reply_id}"
                logged.add(key)
                if key not in keys and not ids & set(event.receipts):
                    yield f"{key} is called sent, and is nowhere"
    yield from (f"{key} was said, and the log does not know" for key in sorted(keys - logged))


def unordered_replies(evidence: Evidence) -> Problems:
    """Within a conversation replies come in the order of the log."""
    by_thread: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for post in evidence.posts:
        if not _is_card(post.key):
            thread_id, _, reply_id = post.key.rpartition(".")
            by_thread[thread_id].append((float(post.ts), int(reply_id.removeprefix("r"))))
    for thread_id, said in by_thread.items():
        numbers = [number for _, number in sorted(said)]
        if numbers != sorted(numbers):
            yield f"{thread_id} said its replies in the order {numbers}"


def overlapping_effects(evidence: Evidence) -> Problems:
    """One answer of the model at a time: its calls may run side by side, those of the next one wait.

    A process that was frozen in the middle of a call may end it late: nobody can call that back (window W6).
    """
    if evidence.has_frozen:
        return
    batch = {f"{t.id}.{call.id}": (t.id, seq) for t in evidence.threads for seq, call in _calls(t)}
    by_thread: dict[str, list[Effect]] = defaultdict(list)
    for effect in evidence.effects:
        if effect.key in batch:
            by_thread[batch[effect.key][0]].append(effect)
    for thread_id, effects in by_thread.items():
        for one, two in pairwise(sorted(effects, key=lambda effect: effect.start)):
            if batch[one.key] != batch[two.key] and (one.end or one.start) > two.start:
                yield f"{thread_id}: {one.key} was still at work when {two.key} began"


def restless(evidence: Evidence) -> Problems:
    """At the end nobody has anything to do."""
    for thread in evidence.threads:
        if thread.last_seq != thread.done_seq or thread.status != "active":
            yield f"{thread.id} is {thread.status}, done up to {thread.done_seq} of {thread.last_seq}"
    if evidence.open_approvals or evidence.cards_behind:
        yield f"{evidence.open_approvals} approvals are open, {evidence.cards_behind} cards are behind"


INVARIANTS: tuple[Callable[[Evidence], Problems], ...] = (
    messages_lost,
    messages_taken_twice,
    gaps,
    broken_chains,
    unapproved_starts,
    doubled_effects,
    doubts_unasked,
    effects_of_refused_calls,
    doubled_messages,
    unsent_replies,
    unordered_replies,
    overlapping_effects,
    restless,
)


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """What breaks each invariant; nothing, where all is well."""
    found = {check.__name__: list(check(evidence)) for check in INVARIANTS}
    return {name: problems for name, problems in found.items() if problems}


def _marks(thread: Thread) -> Iterator[str]:
    for _, event in thread.events:
        if isinstance(event, MessageReceived) and (mark := MARK.search(event.text)):
            yield mark[0]


def _is_card(key: str) -> bool:
    return key.startswith("card:")


def _calls(thread: Thread) -> Iterator[tuple[int, ToolCall]]:
    for seq, event in thread.events:
        if isinstance(event, ModelResponded):
            yield from ((seq, call) for call in event.calls)


def _run_again(thread: Thread) -> Iterator[str]:
    """The key of each call, as often as somebody said that it be run again."""
    asked = _asked(thread)
    for _, event in thread.events:
        if not isinstance(event, ApprovalDecided) or asked[event.approval_id].about != "in_doubt":
            continue
        if isinstance(event.decision, Answered) and event.decision.text == RUN_AGAIN:
            yield f"{thread.id}.{asked[event.approval_id].call_id}"


def _asked(thread: Thread) -> dict[str, ApprovalRequested]:
    return {event.approval_id: event for _, event in thread.events if isinstance(event, ApprovalRequested)}


def _unanswered(thread: Thread) -> Iterator[tuple[ToolStarted, bool]]:
    """Starts that never came back, and whether somebody was asked, or it was simply run again."""
    for place, (_, start) in enumerate(thread.events):
        if not isinstance(start, ToolStarted):
            continue
        for _, event in thread.events[place + 1 :]:
            if getattr(event, "call_id", None) != start.call_id:
                continue
            if isinstance(event, ToolReturned | ToolFailed):
                break
            if isinstance(event, ApprovalRequested) and event.about == "in_doubt":
                yield start, True
                break
            if isinstance(event, ToolStarted):
                yield start, start.tool in IDEMPOTENT
                break
        else:
            yield start, False
