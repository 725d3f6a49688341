"""The sandbox's one web page: a workspace, a mail client and the agent's log, side by side."""

from sandbox.page.server import Model, PageServer

__all__ = ["Model", "PageServer"]
