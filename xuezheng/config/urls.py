"""All addresses.  Each system brings its own."""

from django.urls import include, path
from django.views.i18n import set_language

from xuezheng.kernel.access.guards import public

urlpatterns = [
    path("language/", public(set_language), name="set_language"),
    # First, as thousands of families ask for it in the same minute; no two share an address.
    path("", include("xuezheng.domains.admissions.urls")),
    path("", include("xuezheng.boards.urls")),
    path("", include("xuezheng.registry.urls")),
    path("", include("xuezheng.domains.oversight.urls")),
    path("", include("xuezheng.domains.workplan.urls")),
    path("", include("xuezheng.api.urls")),
    path("", include("xuezheng.kernel.exchange.urls")),
    path("", include("xuezheng.kernel.ui.urls")),
]
handler400 = "xuezheng.boards.views.errors.bad_request"
handler403 = "xuezheng.boards.views.errors.forbidden"
handler404 = "xuezheng.boards.views.errors.not_found"
handler500 = "xuezheng.boards.views.errors.failed"
