"""Addresses of supervision sheets, sources, recurring reports, issued documents and drafts."""

from django.urls import path

from xuezheng.domains.workplan import period_urls, scoring_urls
from xuezheng.domains.workplan.views import reports, sources, supervising

urlpatterns = [
    *scoring_urls.urlpatterns,
    *period_urls.urlpatterns,
    path("supervision/", supervising.supervision_list, name="supervision_list"),
    path("supervision/add/", supervising.supervision_add, name="supervision_add"),
    path("supervision/<str:number>/", supervising.supervision_detail, name="supervision_detail"),
    path("supervision/<str:number>/urge/", supervising.supervision_urge, name="supervision_urge"),
    path(
        "supervision/<str:number>/sheet/", supervising.supervision_sheet, name="supervision_sheet"
    ),
    path(
        "supervision/<str:number>/files/word/",
        supervising.supervision_word,
        name="supervision_word",
    ),
    path(
        "supervision/<str:number>/files/<uuid:file_id>/",
        supervising.supervision_file,
        name="supervision_file",
    ),
    path(
        "supervision/<str:number>/<slug:step>/",
        supervising.supervision_step,
        name="supervision_step",
    ),
    path("plans/<int:plan_id>/week/", supervising.plan_week, name="plan_week"),
    path("plans/<int:plan_id>/carry-over/", sources.plan_carry_over, name="plan_carry_over"),
    path("plans/<int:plan_id>/<str:code>/note/", sources.commitment_note, name="commitment_note"),
    path("sources/", sources.source_list, name="source_list"),
    path("sources/add/", sources.source_add, name="source_add"),
    path("sources/<int:source_id>/", sources.source_detail, name="source_detail"),
    path("sources/<int:source_id>/files/original/", sources.source_file, name="source_file"),
    path("sources/<int:source_id>/link/", sources.source_link, name="source_link"),
    path("sources/<int:source_id>/read/", sources.source_read, name="source_read"),
    path("sources/<int:source_id>/take-over/", sources.source_take_over, name="source_take_over"),
    path(
        "sources/<int:source_id>/write-down/", sources.source_write_down, name="source_write_down"
    ),
    path("sources/<int:source_id>/note/", sources.source_note, name="source_note"),
    path("recurring/", reports.recurring_list, name="recurring_list"),
    path("recurring/add/", reports.recurring_form, name="recurring_add"),
    path("recurring/<int:report_id>/", reports.recurring_form, name="recurring_edit"),
    path("recurring/turns/<str:number>/", reports.report_turn_detail, name="report_turn_detail"),
    path("recurring/turns/<str:number>/urge/", reports.report_turn_urge, name="report_turn_urge"),
    path(
        "recurring/turns/<str:number>/files/<uuid:file_id>/",
        reports.report_turn_file,
        name="report_turn_file",
    ),
    path(
        "recurring/turns/<str:number>/<slug:step>/",
        reports.report_turn_step,
        name="report_turn_step",
    ),
    path("documents/<str:number>/files/slip/", reports.document_slip, name="document_slip"),
    path("documents/<str:number>/register/", reports.document_register, name="document_register"),
    path("documents/<str:number>/files/issued/", reports.document_file, name="document_file"),
    path(
        "documents/reviews/<str:number>/",
        reports.document_review_detail,
        name="document_review_detail",
    ),
    path(
        "documents/reviews/<str:number>/<slug:step>/",
        reports.document_review_step,
        name="document_review_step",
    ),
    path("drafts/", reports.draft_list, name="draft_list"),
    path("drafts/add/", reports.draft_make, name="draft_make"),
    path("drafts/<int:draft_id>/", reports.draft_detail, name="draft_detail"),
    path("drafts/<int:draft_id>/files/word/", reports.draft_file, name="draft_file"),
]
