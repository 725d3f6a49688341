"""Puts a stand-in on a loopback port: the Web API by uvicorn, Socket Mode by aiohttp, both in the running loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.serving import serving
from sandbox.slack.api import api
from sandbox.slack.standin import SlackStandIn


@asynccontextmanager
async def serve(standin: SlackStandIn, port: int = 0) -> AsyncIterator[str]:
    """Serve, and give the base URL; the bot's SLACK_API_URL is that plus `/api/`. Port 0 takes a free one."""
    async with standin.socket.serving(), serving(api(standin), port) as base_url:
        standin.workspace.base_url = base_url
        try:
            yield base_url
        finally:
            standin.faults.let_go()
            await standin.post.close()
