"""Who is shown an approval, and where: in the thread if people see cards there, and to those who may decide."""

from collections.abc import Collection

from agent.conversation import MailAddress, SlackThread, SlackUser
from agent.effects import Ask
from agent.events import MessageReceived
from agent.thread import ThreadState
from approvals.people import Directory, Person
from approvals.policy import able_to_decide

Destination = SlackThread | SlackUser | MailAddress


def audience(ask: Ask, state: ThreadState, directory: Directory, channels: Collection[str]) -> tuple[Destination, ...]:
    """The places, each once, of those channels that are set up. Empty when nobody can be shown it."""
    found: list[Destination] = []
    place, places = state.conversation, set(ask.show_on)
    if "thread" in places:
        if isinstance(place, SlackThread):
            found.append(place)
        elif ask.approvers.anyone_in_thread:
            found += _writer(state)
        else:
            places.add("direct")
    for person in _able(ask, state, directory):
        if "direct" in places:
            found += [SlackUser(team=team, user=user, person=person.id) for team, user in person.slack.items()]
        if "mail" in places and person.email:
            found.append(MailAddress(address=person.email[0], person=person.id))
    unique = {each.key: each for each in found if each.channel_kind.partition("_")[0] in channels}
    return tuple(unique.values())


def _able(ask: Ask, state: ThreadState, directory: Directory) -> list[Person]:
    if ask.approvers.anyone_in_thread:
        return []
    requester = directory.find(state.requester) if state.requester else None
    able = able_to_decide(ask.approvers, directory)
    return [each for each in able if ask.approvers.requester or each != requester]


def _writer(state: ThreadState) -> list[MailAddress]:
    """Whoever wrote the latest mail of a mail conversation: questions to the thread go to them."""
    for entry in reversed(state.entries):
        if isinstance(entry.event, MessageReceived) and entry.event.mail:
            address = entry.event.mail.reply_address or entry.event.sender.id
            return [MailAddress(address=address, person="")]
    return []
