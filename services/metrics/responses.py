"""Answers that some routes have besides the common problems, for their documentation."""

from typing import Any, Final

from shared.http.problems import MEDIA_TYPE, Problem

NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {
    404: {
        "model": Problem,
        "description": "There is no such thing, or not for this key.",
        "content": {MEDIA_TYPE: {}},
    }
}
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "model": Problem,
        "description": "The present state does not allow it.",
        "content": {MEDIA_TYPE: {}},
    }
}
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "`If-None-Match` names the present state."}
}
