"""Who is shown an approval, and where: in the thread if people see cards there, to those who may decide, and to the URL
that is told of everything, if there is one."""

from collections.abc import Collection

from agent.conversation import Destination, Hook, MailAddress, SlackThread, SlackUser
from agent.effects import Ask
from agent.events import MessageReceived
from agent.state import ThreadState
from approvals.people import Person
from approvals.policy import objection_to_asked
from approvals.roster import Roster


def audience(ask: Ask, state: ThreadState, present: Roster, channels: Collection[str]) -> tuple[Destination, ...]:
    """The places, each once, of those channels that are set up."""
    found: list[Destination] = []
    place, places = state.conversation, set(ask.show_on)
    if "thread" in places:
        if isinstance(place, SlackThread):
            found.append(place)
        elif ask.approvers.anyone_in_thread:
            found += _writer(state)
        else:
            places.add("direct")
    for person in _able(ask, state, present):
        if "direct" in places:
            found += [SlackUser(team=team, user=user, person=person.id) for team, user in person.slack.items()]
        if "mail" in places and person.email:
            found.append(MailAddress(address=person.email[0], person=person.id))
    found.append(Hook())
    unique = {each.key: each for each in found if each.channel_kind.partition("_")[0] in channels}
    return tuple(unique.values())


def _able(ask: Ask, state: ThreadState, present: Roster) -> tuple[Person, ...]:
    """Those who may decide now, or the deputies who are there in place of those who are away."""
    if ask.approvers.anyone_in_thread:
        return ()
    everybody = present.directory.people
    able = [each for each in everybody if not objection_to_asked(ask.approvers, each, present, state.asked_by)]
    return present.reached(able)


def _writer(state: ThreadState) -> list[MailAddress]:
    """Whoever wrote the latest mail of a mail conversation: questions to the thread go to them."""
    for entry in reversed(state.entries):
        if isinstance(entry.event, MessageReceived) and entry.event.mail:
            address = entry.event.mail.reply_address or entry.event.sender.id
            return [MailAddress(address=address, person="")]
    return []
