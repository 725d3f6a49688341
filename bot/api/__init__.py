"""REST for programs and for people's own tools: launch, look, resume, stop; look at approvals and decide them."""

from bot.api.routes import router

__all__ = ["router"]
