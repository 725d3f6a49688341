"""What a verdict of the policy means, in words for operators. Plain text. Pure."""

from collections.abc import Sequence

from agent.effects import Allow, Ask, Deny, Verdict
from agent.verdict import Approvers
from approvals.people import Directory
from approvals.policy import able_to_decide
from approvals.policy_check import span
from approvals.quorum import in_words, names


def verdict_lines(verdict: Verdict, directory: Directory) -> list[str]:
    """What is done with the call, by which rule, and whom it takes; a line each."""
    match verdict:
        case Allow(rule):
            return [f"It runs, by the rule {rule!r}."]
        case Deny(rule, why):
            return [f"It never runs, by the rule {rule!r}: {why}"]
        case Ask():
            return _ask_lines(verdict, directory)


def _ask_lines(ask: Ask, directory: Directory) -> list[str]:
    by = {"default": "no rule covers it", "error": "it could not be judged"}.get(ask.rule, f"by the rule {ask.rule!r}")
    return [
        f"People are asked, {by}: {ask.why}",
        f"It takes {whom(ask.approvers)}.{_requester(ask.approvers)}{_noes(ask.approvers)}",
        _who(ask.approvers, directory),
        _times(ask),
        *(["An approver may let like calls run without being asked again."] if ask.may_grant else []),
    ]


def whom(approvers: Approvers) -> str:
    """Whose approval it takes: `2 of role finance, then 1 of dana`."""
    seats = approvers.seats[0]
    return in_words(approvers) or f"one of {' or '.join(names(seats)) or 'nobody'}"


def _requester(approvers: Approvers) -> str:
    return "" if approvers.requester else " Whoever asked the agent may not decide."


def _noes(approvers: Approvers) -> str:
    return "" if approvers.rejections == 1 else f" {approvers.rejections} must reject it to stop it."


def _who(approvers: Approvers, directory: Directory) -> str:
    able = [person.name for person in able_to_decide(approvers, directory)]
    groups = sorted(approvers.all_roles & set(directory.groups))
    more = [f"whoever is in {role} at that moment" for role in groups]
    return f"These may decide: {_listed([*able, *more]) or 'nobody'}."


def _times(ask: Ask) -> str:
    hours = " of business hours" if ask.in_business_hours else ""
    lasts = f"{span(ask.timeout)}{hours}" if ask.timeout else f"HUMAN_APPROVAL_TIMEOUT{hours}"
    then = "is rejected" if ask.on_timeout == "reject" else "expires"
    steps = [f"after {span(each.after)} {_listed([f'role {r}' for r in each.roles] + list(each.people))}"
             for each in ask.escalation]  # fmt: skip
    more = f" Asked as well: {'; '.join(steps)}." if steps else ""
    return f"After {lasts} it {then}.{more}"


def _listed(each: Sequence[str]) -> str:
    return ", ".join(each)
