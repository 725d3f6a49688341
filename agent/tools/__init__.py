"""The tools that every agent has. They steer the work itself: the reducer acts on them, and nothing here ever runs."""

from agent.tool import Tool
from agent.tools.ask_human import ask_human
from agent.tools.finish import finish

BUILT_IN: tuple[Tool, ...] = (ask_human, finish)
