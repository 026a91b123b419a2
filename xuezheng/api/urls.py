from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from xuezheng.api import pages
from xuezheng.api.access import Permission
from xuezheng.api.admissions import Forbidden, router
from xuezheng.api.entry import entry
from xuezheng.api.errors import refusal
from xuezheng.kernel.access.guards import requires

#: No page with documents: its scripts would come from elsewhere.  The description is JSON.
api = NinjaAPI(
    title="Xuezheng",
    version="1",
    description="Admissions for programs. Errors have one shape, see ErrorOut.",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api-v1",
)
api.add_router("/admissions", router)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What was sent has not the shape that was asked for; no value is repeated."""
    fields = {
        ".".join(map(str, one["loc"])): str(one["msg"]).encode("utf-8", "replace").decode()
        for one in error.errors
    }
    return refusal(422, "invalid", _("内容的格式不对。"), fields)


@api.exception_handler(HttpError)
def _bad(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON."""
    return refusal(error.status_code, "bad_request", _("请求无法读取。"))


@api.exception_handler(Forbidden)
def _forbidden(request: HttpRequest, error: Forbidden) -> HttpResponse:
    """The scope is missing."""
    return refusal(403, "scope", _("这个客户端没有该项权限。"))


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """A service refused."""
    return refusal(403, "denied", _("没有权限。"))


def description() -> JsonResponse:
    """OpenAPI 3.1."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    return JsonResponse(schema)


@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of the interface, for programs."""
    return description()


@require_GET
@requires(Permission.DESCRIPTION)
def client_openapi(request: HttpRequest) -> HttpResponse:
    """The same for who answers for the interface, without a token."""
    return description()


urlpatterns = [
    path("api/v1/openapi.json", entry(openapi), name="api_openapi"),
    path("clients/", pages.client_list, name="client_list"),
    path("clients/add/", pages.client_add, name="client_add"),
    path("clients/openapi.json", client_openapi, name="client_openapi"),
    path("clients/<int:pk>/revoke/", pages.client_revoke, name="client_revoke"),
]
for _pattern in api.urls[0]:
    if _pattern.name != "api-root":
        urlpatterns.append(
            path(
                f"api/v1/{_pattern.pattern}", entry(_pattern.callback), name=f"api_{_pattern.name}"
            )
        )
