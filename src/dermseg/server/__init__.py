"""The page and its API: a thin layer above prediction and review.

Needs the extra ``serve``.
"""

from dermseg.errors import MissingExtraError

try:
    import fastapi as _fastapi
    import uvicorn as _uvicorn
except ModuleNotFoundError as error:
    raise MissingExtraError("a server", "serve") from error

from dermseg.server.app import Limits, create_app
from dermseg.server.running import Place, local_name, run_server
from dermseg.server.sessions import Sessions

__all__ = ["Limits", "Place", "Sessions", "create_app", "local_name", "run_server"]

del _fastapi, _uvicorn
