"""The promises of the reducer hold with a judge beside a policy that allows everything, whatever comes in between."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.effects import Allow, Ask
from agent.guardrail import Guardrail
from agent.verdict import Approvers
from tests.properties.test_reducer import RULES, Driver, assert_was_approved


class GuardedDriver(Driver):
    """The same with a policy that allows refunds, and a judge beside it."""

    def assert_may_start(self, call_id: str, digest: str) -> None:
        """Scored low, exactly this, or approved by a person after all."""
        scored = self.state.calls[call_id].scored
        if scored is None or scored.digest != digest or scored.score >= GUARDED.threshold:
            assert_was_approved(self.state, call_id, digest)


GUARDED = Guardrail(0.5, Ask("guardrail", "", Approvers(roles=("lead",))))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_what_a_judge_finds_dangerous_starts_with_an_approval_only_whatever_comes_in_between(
    data: st.DataObject,
) -> None:
    allowing = replace(RULES, judge=lambda _call, _tool, _state: Allow("all"), guardrail=GUARDED)
    driver = GuardedDriver(data, allowing)
    for _ in range(data.draw(st.integers(5, 40))):
        driver.step()
