"""The agent's status in a thread, as Slack shows it: working (with a stop button), waiting for people, or neither.

Agent sessions are the newer way (docs.slack.dev/ai/agent-sessions); where Slack does not know us as an agent, the older
line of text stands in. One slot of the screen belongs to both, so only one of them is used. While the line of text is
set nobody can write, so it must be cleared whenever the agent waits.
"""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import SlackThread
from agent.ports import Presence
from bot.slack.failures import PASSING, error_of

_SESSION: dict[Presence, str] = {"working": "processing", "waiting": "suspended", "idle": "active"}
_LINE: dict[Presence, str] = {"working": "is working…", "waiting": "", "idle": ""}


async def show_status(client: AsyncWebClient, conversation: SlackThread, presence: Presence) -> None:
    """Set it. Raises what the SDK raises."""
    channel, thread_ts = conversation.channel, conversation.thread_ts
    try:
        await client.agents_sessions_setStatus(channel_id=channel, thread_ts=thread_ts, status=_SESSION[presence])
    except SlackApiError as error:
        if error_of(error) in PASSING:
            raise
        await client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=_LINE[presence])
