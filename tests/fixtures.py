"""Where sample material that is too large for the repository lies, when this machine has it.

Tests that read it skip where it is absent. It is looked for in the folder that `TWOKEY_FIXTURES` names, else as
`shared/fixtures` beside the repository or beside any folder above it.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def fixture_dir(name: str) -> Path:
    """The folder `name` of the sample material; skips the test that asks when there is none."""
    named = os.environ.get("TWOKEY_FIXTURES")  # noqa: TID251 - where test material lies is no setting of the product
    places = [Path(named)] if named else [folder / "shared" / "fixtures" for folder in (ROOT, *ROOT.parents)]
    for place in places:
        if (place / name).is_dir():
            return place / name
    pytest.skip(f"sample material {name!r} is not on this machine")
