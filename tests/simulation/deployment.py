"""What is deployed in every simulated world: people, a policy, an agent, and tools of each kind that leave a record."""

from agent.conversation import Identity, SlackThread
from agent.reducer import Rules
from agent.rounds import Agent
from agent.tool import ToolContext, catalog, tool
from agent.tools import BUILT_IN
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.simulation.process import here
from tests.world import PlainPrompt

PLACES = tuple(SlackThread(team="T0", channel="C0", thread_ts=f"170000000{n}.000100") for n in range(3))
LEE = Identity(channel="slack", id="U0LEE", team="T0", name="Lee")
LEADS = frozenset({"dana", "lee"})
GREAT = 5.0
"""Refunds from this on take two leads."""
STRANGER = Identity(channel="slack", id="U0EVE", team="T9", name="Eve")
PEOPLE = Directory(
    [
        Person(id="ada", name="Ada", slack={"T0": "U0ADA"}),
        Person(id="dana", name="Dana", slack={"T0": "U0DANA"}, roles=("lead",)),
        Person(id="lee", name="Lee", slack={"T0": "U0LEE"}, roles=("lead",)),
    ]
)
POLICY = Policy(
    PolicyFile.model_validate(
        {
            "rules": [
                {"name": "reads", "effect": "read", "outcome": "allow"},
                {"name": "free", "tools": ["note", "pay"], "outcome": "allow"},
                {
                    "name": "great refunds",
                    "tools": ["refund"],
                    "when": f"args.amount >= {GREAT}",
                    "outcome": "ask",
                    "approvers": {"roles": ["lead"], "count": 2},
                },
                {
                    "name": "refunds",
                    "tools": ["refund"],
                    "outcome": "ask",
                    "approvers": {"roles": ["lead"]},
                    "may_grant": True,
                },
            ]
        }
    )
)


@tool(effect="read")
async def look_up(order_id: str) -> str:
    """Look up an order."""
    return await here().io("tool", f"looks up {order_id}", lambda: "delivered")


@tool(effect="read")
async def broken() -> str:
    """Always fails."""
    raise RuntimeError("the shelf fell down")


@tool(needs_approval=True)
async def refund(order_id: str, amount: float, context: ToolContext) -> str:
    """Refund an order."""
    return await here().work("refund", context, {"order_id": order_id, "amount": amount})


@tool
async def pay(order_id: str, context: ToolContext) -> str:
    """Pay for an order: not gated, and not to be done twice."""
    return await here().work("pay", context, {"order_id": order_id})


@tool(idempotent=True)
async def note(text: str, context: ToolContext) -> str:
    """Write something down, any number of times under one key."""
    return await here().work("note", context, {"text": text})


TOOLS = catalog([look_up, broken, refund, pay, note, *BUILT_IN])
RULES = Rules(tools=TOOLS, judge=POLICY.judge, max_steps=8)
AGENTS = {"support": Agent("support", "m", PlainPrompt(), RULES)}
