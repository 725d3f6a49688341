"""An OpenAI-compatible server that plays a scripted, rule-based model, and says so by its name."""

from sandbox.model.ask import MODEL
from sandbox.model.faults import Fault
from sandbox.model.script import script
from sandbox.model.server import KEY, ModelServer, Request

__all__ = ["KEY", "MODEL", "Fault", "ModelServer", "Request", "script"]
