"""What is wrong with a policy, given which tools and people there are. Pure.

Mistakes stop the start. Problems are told of and do not: what nobody, or not everybody, could ever get approved. Who is
in a live group is known only when it is asked, so a seat that such a group may fill counts as filled.
"""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from agent.tool import Tool
from agent.verdict import Approvers, Seats
from approvals.condition import Condition
from approvals.people import Directory, Path
from approvals.policy_file import ApproversEntry, Asking, Group, PolicyFile, Rule, StepEntry
from approvals.quorum import Voter, fits, names, tally

Problem = tuple[Path, str]
"""Where in the file, and what."""


def problems(file: PolicyFile, directory: Directory, timeout: float | None = None) -> Iterator[Problem]:
    """All of it. `timeout`: seconds that a request lasts where the policy does not say."""
    for path, asking in file.asking():
        if getattr(asking, "outcome", "ask") == "deny":
            continue
        own = asking.approvers if asking is not file.default else asking.approvers or ApproversEntry()
        if own is not None:
            yield from (((*path, "approvers"), what) for what in _unfillable(own.approvers(), directory))
        yield from _steps(path, asking, file, timeout, directory)


def mistakes(file: PolicyFile, tools: Mapping[str, Tool], directory: Directory) -> Iterator[Problem]:
    """Names that lead nowhere: of tools, roles, people, and of what conditions speak of."""
    for path, asking in file.asking():
        for where, group in asking.groups():
            yield from _strangers((*path, *where), group, directory)
        if asking.in_business_hours and file.default.business_hours is None:
            yield (*path, "in_business_hours"), "needs `business_hours` under `default` to say which these are"
    for place, rule in enumerate(file.rules):
        for at, name in enumerate(rule.tools):
            if "*" not in name and name not in tools:
                yield ("rules", place, "tools", at), unknown("tool", name, tools)
        if rule.when is not None:
            yield from ((("rules", place, "when"), what) for what in _misnamed(rule, rule.when, file, tools))


def _strangers(where: Path, group: Group, directory: Directory) -> Iterator[Problem]:
    for at, role in enumerate(group.roles):
        if role not in directory.roles:
            yield (*where, "roles", at), unknown("role in people.yaml", role, directory.roles)
    for at, person in enumerate(group.people):
        if directory.person(person) is None:
            yield (
                (*where, "people", at),
                unknown("person in people.yaml", person, {each.id for each in directory.people}),
            )


def _misnamed(rule: Rule, when: str, file: PolicyFile, tools: Mapping[str, Tool]) -> Iterator[str]:
    condition = Condition.parse(when)
    if "in_business_hours" in condition.fields("time") and file.default.business_hours is None:
        yield "speaks of `time.in_business_hours`: `business_hours` under `default` must say which these are"
    about = [tool for tool in tools.values() if not rule.tools or any(fnmatchcase(tool.name, n) for n in rule.tools)]
    known = {name for tool in about for name in tool.arguments_model.model_fields}
    for name in sorted(condition.fields("args") - known) if about else ():
        yield f"speaks of `args.{name}`, and none of the tools that it is about has that; they have: {listed(known)}"


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """That there is no such, and what there is."""
    return f"there is no {what} named {name}; there are: {listed(known)}"


def listed(names: Collection[str]) -> str:
    """In words."""
    return ", ".join(sorted(names)) or "none"


def _unfillable(approvers: Approvers, directory: Directory) -> Iterator[str]:
    seats = [each for each in approvers.seats if not set(each.roles) & set(directory.groups)]
    if not seats:
        return
    voters = [Voter(each.id, roles=frozenset(each.roles)) for each in directory.people if not each.service]
    able = [each for each in voters if any(fits(seat, each) for seat in approvers.seats)]
    if short := _short(seats, voters):
        yield "nobody may approve what it asks about" if not able else f"can never be approved: {short}"
    elif not approvers.requester and (alone := [each.id for each in able if _short(seats, _without(voters, each))]):
        yield f"nobody may approve what {' or '.join(alone)} asks for: another person is wanted"
    if len(seats) == len(approvers.seats) and able and len(able) < approvers.rejections:
        yield f"can never be rejected: it takes {approvers.rejections} who say no, and {len(able)} may"


def _short(seats: list[Seats], voters: list[Voter]) -> str:
    """What is missing when all of these approve, in words; empty when nothing is. One person takes one seat."""
    missing = tally(Approvers(each=tuple(seats)), voters).missing
    wanted = [f"{each.count} of {' or '.join(names(each)) or 'nobody'}" for each in seats]
    return f"it takes {' and '.join(wanted)}, all different people, and there are too few" if any(missing) else ""


def _without(voters: list[Voter], one: Voter) -> list[Voter]:
    return [each for each in voters if each is not one]


def _steps(
    path: Path, asking: Asking, file: PolicyFile, timeout: float | None, directory: Directory
) -> Iterator[Problem]:
    """Escalations that come too late, or to nobody."""
    default = file.default
    ends = asking.timeout or default.timeout or timeout
    steps = default.escalation if asking.escalation is None else asking.escalation
    is_own = asking.escalation is not None
    for place, step in enumerate(steps or ()):
        where = (*path, "escalation", place) if is_own else path
        if ends is not None and step.after >= ends and (is_own or asking.timeout is not None):
            what = "expires" if (asking.on_timeout or default.on_timeout) != "reject" else "is rejected"
            yield where, f"asks others after {span(step.after)}, and by then it {what} ({span(ends)})"
        if is_own and not _reaches(step, directory):
            yield (
                where,
                f"asks nobody: {' or '.join(names(Seats(roles=step.roles, people=step.people)))} decides nothing",
            )


def _reaches(step: StepEntry, directory: Directory) -> bool:
    """Whether there is a person to ask, or a group that may have some."""
    if set(step.roles) & set(directory.groups):
        return True
    able = Seats(roles=step.roles, people=step.people)
    return any(fits(able, Voter(each.id, roles=frozenset(each.roles))) for each in directory.people if not each.service)


def span(seconds: float) -> str:
    """As people write it: `1d12h`."""
    left, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
