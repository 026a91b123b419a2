"""One shape for everything that is refused: {"error": {"code", "message", "fields"}}."""

from collections.abc import Mapping

from django.http import JsonResponse


def refusal(
    status: int, code: str, message: str, fields: Mapping[str, str] | None = None
) -> JsonResponse:
    """A refusal; `code` is for programs and stays the same, `message` is in the caller's language."""
    content = {"code": code, "message": message, "fields": dict(fields or {})}
    return JsonResponse(
        {"error": content}, status=status, json_dumps_params={"ensure_ascii": False}
    )
