"""Pages for people: the one that shows an approval and lets the person it was mailed to decide. No script anywhere."""

from bot.pages.routes import router

__all__ = ["router"]
