"""Errors in words that cannot hold anybody's data.

The message of an error often quotes what was being worked on, as PostgreSQL's does: `Key (name)=(...)
already exists`.  Its class, its code and the line of the program do not.
"""

import traceback
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def error_name(error: BaseException) -> str:
    """Class of the error, with PostgreSQL's five-character code where there is one.

    `django.db.utils.IntegrityError 23505`, `builtins.OSError 28` (the number of the system's error).
    """
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    code = getattr(error.__cause__, "sqlstate", None) or getattr(error, "errno", None)
    return f"{name} {code}" if code else name


def error_place(frames: traceback.StackSummary) -> str:
    """The innermost line of this program: `xuezheng/kernel/files/store.py:88 keep_bytes`."""
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT / "xuezheng"):
            return f"{path.relative_to(_ROOT)}:{frame.lineno} {frame.name}"
    return ""


def error_chain(error: BaseException) -> list[str]:
    """The error and what caused it, outermost first, each as name and place."""
    chain: list[str] = []
    following: BaseException | None = error
    while following is not None and len(chain) < 5:
        place = error_place(traceback.extract_tb(following.__traceback__))
        chain.append(f"{error_name(following)} {place}".strip())
        following = following.__cause__ or following.__context__
    return chain
