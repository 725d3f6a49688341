"""What the tests of grants at work do first: a world whose policy lets grants be given, and one that is."""

from agent.conversation import Identity, SlackThread
from agent.ports import ModelAnswer, ModelRequest, ResultTurn
from approvals.decision import Approve, GrantTerms
from approvals.grants import GrantFacts
from approvals.policy import Policy
from tests.builders import DANA, PLACE, a_call, calls, said
from tests.fakes import Step
from tests.granted import granting
from tests.world import World

POLICY = Policy(granting(roles=["lead"]))
ADA = Identity(channel="slack", id="U0ADA", team="T0", name="Ada")
STRANGER = Identity(channel="slack", id="U0NEW", team="T0", name="New")


REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


def refund(order_id: str = "1042", amount: float = 40.0) -> Step:
    return calls(a_call("refund", order_id=order_id, amount=amount))


def wishing(request: ModelRequest) -> ModelAnswer:
    """Wants a refund, and says so when it has it."""
    return said("Done.") if isinstance(request.turns[-1], ResultTurn) else REFUND


def place(number: int) -> SlackThread:
    return PLACE.model_copy(update={"thread_ts": f"1700000000.{number:06}"})


async def give(world: World, thread_id: str, wanted: GrantTerms) -> GrantFacts:
    """Dana approves what is asked there, and gives a grant with it."""
    asked = await world.approval(thread_id)
    await world.gate.decide(asked.approval_id, Approve(asked.digest, grant=wanted), DANA, "slack")
    await world.until(thread_id, "tool_returned")
    (found,) = await world.index.grants(standing=False)
    return found
