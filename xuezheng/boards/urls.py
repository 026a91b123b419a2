from django.urls import path

from xuezheng.boards.access import Permission
from xuezheng.boards.views import (
    account,
    audit,
    board,
    health,
    inbox,
    indicators,
    operations,
    parameters,
    province,
    search,
    snapshots,
)
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.ui.views import style_guide

urlpatterns = [
    path("", inbox.home, name="home"),
    path("board/", board.board, name="board"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("indicators/", indicators.indicator_list, name="indicator_list"),
    path("indicators/snapshots/", snapshots.snapshot_list, name="snapshot_list"),
    path("indicators/snapshots/make/", snapshots.snapshot_make, name="snapshot_make"),
    path(
        "indicators/snapshots/<int:snapshot_id>/", snapshots.snapshot_detail, name="snapshot_detail"
    ),
    path(
        "indicators/snapshots/<int:snapshot_id>/<str:key>/<str:code>/",
        snapshots.snapshot_proof,
        name="snapshot_proof",
    ),
    path("province/", province.province_board, name="province_board"),
    path("province/<str:code>/", province.province_district, name="province_district"),
    path("indicators/<str:key>/", indicators.indicator_detail, name="indicator_detail"),
    path("readings/<int:reading_id>/", indicators.indicator_proof, name="indicator_proof"),
    path("parameters/", parameters.parameter_list, name="parameter_list"),
    path("parameters/<str:key>/", parameters.parameter_edit, name="parameter_edit"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("search/", search.search, name="search"),
    path("operations/jobs/", operations.job_list, name="job_list"),
    path("operations/jobs/<int:job_id>/retry/", operations.job_retry, name="job_retry"),
    path("operations/jobs/<int:job_id>/cancel/", operations.job_cancel, name="job_cancel"),
    path("metrics", operations.metrics, name="metrics"),
    path("style-guide/", requires(Permission.STYLE_GUIDE)(style_guide), name="style_guide"),
    path("sign-in/", account.sign_in, name="sign_in"),
    path("sign-out/", account.sign_out, name="sign_out"),
    path("password/", account.change_password, name="change_password"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
]
