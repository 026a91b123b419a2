"""For load balancers and operators."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from xuezheng.kernel.access.guards import public
from xuezheng.kernel.reference.models import Parameter


@require_GET
@public
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


@require_GET
@public
def ready(_request: HttpRequest) -> JsonResponse:
    """Database reachable and migrated; 503 otherwise (the exception page says no more than that)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    migrated = Parameter.objects.exists()
    return JsonResponse(
        {"status": "ready" if migrated else "not migrated"}, status=200 if migrated else 503
    )
