"""A deployment: the files under version control that say what the agent is, may do, and for whom.

Everything is read and checked against everything else at the start, so that a name that leads nowhere stops the start
with file, line and reason, and not the work of a Monday morning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from agent.conversation import Value
from agent.errors import ConfigError
from agent.tool import Tool
from agent.tools import BUILT_IN
from approvals import policy_check
from approvals.people import Directory, PeopleFile, problems_in
from approvals.policy import Policy
from approvals.policy_check import unknown
from approvals.policy_file import PolicyFile
from bot import prompts, tool_registry, yaml_files
from bot.prompts import FilePrompt
from bot.yaml_files import FieldPath, YamlFile

Problems = Iterator[tuple[FieldPath, str]]
AgentName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class AgentEntry(Value):
    """An agent as `agents.yaml` has it, under its name."""

    description: str = ""
    model: str | None = None
    """None for the deployment's OPENAI_MODEL."""
    prompt: str
    variables: dict[str, str] = Field(default_factory=dict)
    """Values for the prompt's variables."""
    tools: tuple[str, ...] = ()
    at_once: Annotated[int, Field(ge=1)] | None = None
    """How many of its threads a process works on at once; None for as many as there are workers."""
    guardrail: str = ""
    """The prompt of the judge that scores what the policy allows it; empty for none."""


class AgentsFile(Value):
    """The whole of `agents.yaml`."""

    default: AgentName
    agents: dict[AgentName, AgentEntry]


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: which model, told what, able to do what."""

    name: str
    description: str
    model: str | None
    prompt: FilePrompt
    variables: Mapping[str, str]
    tools: Mapping[str, Tool]
    """By name, the built-in ones among them."""
    at_once: int | None = None
    """How many of its threads a process works on at once."""
    guardrail: FilePrompt | None = None
    """What the judge of its calls is told, where there is one."""


@dataclass(frozen=True)
class Deployment:
    """All that the files say."""

    agents: Mapping[str, Agent]
    default_agent: str
    policy: Policy
    directory: Directory
    tools: Mapping[str, Tool]
    """Every tool there is, by name; an agent has some of them."""
    prompts: Mapping[str, FilePrompt]
    warnings: tuple[str, ...] = ()
    """What is allowed, and probably not meant."""

    @classmethod
    def load(cls, config_dir: Path, timeout: float | None = None) -> "Deployment":
        """The deployment in that folder. Raises ConfigError, a line a problem: `file:line: field: what is wrong`.
        `timeout`: seconds that a request lasts where the policy does not say, for what is probably not meant."""
        tools = tool_registry.load(config_dir)
        texts = prompts.load(config_dir)
        directory = _directory(config_dir)
        policy, warnings = _policy(config_dir, tools, directory, timeout)
        file = yaml_files.read(config_dir, "agents.yaml")
        agents = file.parse(AgentsFile)
        file.check(_agent_problems(agents, tools, texts, policy))
        return cls(
            agents={name: _agent(name, entry, tools, texts) for name, entry in agents.agents.items()},
            default_agent=agents.default,
            policy=policy,
            directory=directory,
            tools=tools,
            prompts=texts,
            warnings=warnings,
        )

    def agent(self, name: str = "") -> Agent:
        """The agent of that name, or the default one. Raises ConfigError when there is none: a thread outlived it."""
        found = self.agents.get(name or self.default_agent)
        if found is None:
            raise ConfigError(f"agents.yaml: there is no agent named {name}")
        return found


def _agent(name: str, entry: AgentEntry, tools: Mapping[str, Tool], texts: Mapping[str, FilePrompt]) -> Agent:
    names = dict.fromkeys((*entry.tools, *(tool.name for tool in BUILT_IN)))
    return Agent(
        name=name,
        description=entry.description,
        model=entry.model,
        prompt=texts[entry.prompt],
        variables=entry.variables,
        tools={each: tools[each] for each in names},
        at_once=entry.at_once,
        guardrail=texts[entry.guardrail] if entry.guardrail else None,
    )


def _directory(config_dir: Path) -> Directory:
    file = yaml_files.read(config_dir, "people.yaml")
    people = file.parse(PeopleFile)
    file.check(problems_in(people))
    return Directory.of(people)


def _policy(
    config_dir: Path, tools: Mapping[str, Tool], directory: Directory, timeout: float | None
) -> tuple[Policy, tuple[str, ...]]:
    file = yaml_files.read(config_dir, "policy.yaml")
    content = policy_of(file, tools, directory)
    doubts = policy_check.problems(content, directory, timeout)
    return Policy(content, directory), tuple(file.complaint(path, problem) for path, problem in doubts)


def policy_of(file: YamlFile, tools: Mapping[str, Tool], directory: Directory) -> PolicyFile:
    """The policy that a file says. Raises ConfigError."""
    content = file.parse(PolicyFile)
    file.check(policy_check.mistakes(content, tools, directory))
    return content


def _agent_problems(
    content: AgentsFile, tools: Mapping[str, Tool], texts: Mapping[str, FilePrompt], policy: Policy
) -> Problems:
    if content.default not in content.agents:
        yield ("default",), unknown("agent", content.default, content.agents)
    for name, entry in content.agents.items():
        for at, tool in enumerate(entry.tools):
            if tool not in tools:
                yield ("agents", name, "tools", at), unknown("tool", tool, tools)
        if entry.prompt not in texts:
            yield ("agents", name, "prompt"), unknown("prompt", entry.prompt, texts)
        else:
            yield from _variable_problems(("agents", name), entry, texts[entry.prompt])
        if entry.guardrail:
            yield from _guardrail_problems(("agents", name, "guardrail"), entry, policy, texts)


def _guardrail_problems(
    where: FieldPath, entry: AgentEntry, policy: Policy, texts: Mapping[str, FilePrompt]
) -> Problems:
    if entry.guardrail not in texts:
        yield where, unknown("prompt", entry.guardrail, texts)
    elif missing := sorted(set(texts[entry.guardrail].head.variables) - set(entry.variables)):
        yield where, f"the prompt {entry.guardrail} needs the variables {', '.join(missing)}, too"
    if policy.default.approvers is None:
        yield where, "nobody would be asked about what it finds: policy.yaml needs `default: approvers:` for it"


def _variable_problems(where: FieldPath, entry: AgentEntry, prompt: FilePrompt) -> Problems:
    for variable in sorted(set(prompt.head.variables) - set(entry.variables)):
        yield (*where, "variables"), f"the prompt {entry.prompt} needs {variable}, too"
    for variable in sorted(set(entry.variables) - set(prompt.head.variables)):
        yield (*where, "variables", variable), f"the prompt {entry.prompt} has no such variable"
