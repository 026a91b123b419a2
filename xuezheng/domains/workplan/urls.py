from django.urls import path

from xuezheng.domains.workplan import desk_urls
from xuezheng.domains.workplan.views import (
    carrying,
    closing,
    commitments,
    outside,
    plans,
    rounds,
    sheets,
)

urlpatterns = [
    *desk_urls.urlpatterns,
    path("plans/", plans.plan_list, name="plan_list"),
    path("plans/import/", plans.plan_import, name="plan_import"),
    path("plans/<int:plan_id>/", plans.plan_detail, name="plan_detail"),
    path("plans/<int:plan_id>/review/", plans.plan_review, name="plan_review"),
    path("plans/<int:plan_id>/review/bulk/", plans.plan_bulk, name="plan_bulk"),
    path(
        "plans/<int:plan_id>/review/<int:item_id>/resolve/",
        plans.review_resolve,
        name="review_resolve",
    ),
    path("plans/<int:plan_id>/adopt/", plans.plan_adopt, name="plan_adopt"),
    path("plans/<int:plan_id>/versions/", plans.plan_versions, name="plan_versions"),
    path("plans/<int:plan_id>/source/", plans.plan_source, name="plan_source"),
    path("plans/<int:plan_id>/add/", plans.commitment_add, name="commitment_add"),
    path("outside/<str:token>/", outside.outside_answer, name="outside_answer"),
    path("rounds/reports/<str:number>/outside/", outside.outside_ask, name="outside_ask"),
    path(
        "rounds/reports/<str:number>/outside/<int:pk>/",
        outside.outside_behalf,
        name="outside_behalf",
    ),
    path("plans/<int:plan_id>/<str:code>/close/", closing.closing_apply, name="closing_apply"),
    path("closings/<str:number>/", closing.closing_detail, name="closing_detail"),
    path("closings/<str:number>/files/<uuid:file_id>/", closing.closing_file, name="closing_file"),
    path("closings/<str:number>/<slug:step>/", closing.closing_step, name="closing_step"),
    path("plans/<int:plan_id>/sheet/", sheets.sheet_export, name="sheet_export"),
    path("plans/<int:plan_id>/sheet/back/", sheets.sheet_back, name="sheet_back"),
    path("plans/<int:plan_id>/sheet/back/<int:pk>/", sheets.sheet_preview, name="sheet_preview"),
    path("plans/<int:plan_id>/rounds/", rounds.round_list, name="round_list"),
    path("plans/<int:plan_id>/rounds/plan/", rounds.rounds_plan, name="rounds_plan"),
    path("plans/<int:plan_id>/rounds/stand-in/", rounds.stand_in_add, name="stand_in_add"),
    path(
        "plans/<int:plan_id>/rounds/stand-in/<int:pk>/end/",
        rounds.stand_in_end,
        name="stand_in_end",
    ),
    path("rounds/mine/", rounds.my_rounds, name="my_rounds"),
    path("rounds/mine/<slug:action>/", rounds.my_rounds_together, name="my_rounds_together"),
    path("rounds/<int:pk>/", rounds.round_detail, name="round_detail"),
    path("rounds/<int:pk>/open/", rounds.round_open, name="round_open"),
    path("rounds/<int:pk>/urge/", rounds.round_urge, name="round_urge"),
    path("rounds/<int:pk>/reports/", rounds.round_reports, name="round_reports"),
    path("rounds/reports/<str:number>/", rounds.round_report, name="round_report"),
    path("rounds/reports/<str:number>/quick/", rounds.round_quick, name="round_quick"),
    path("rounds/reports/<str:number>/files/<uuid:file_id>/", rounds.round_file, name="round_file"),
    path(
        "rounds/reports/<str:number>/<slug:step>/",
        rounds.round_report_step,
        name="round_report_step",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/", commitments.commitment_detail, name="commitment_detail"
    ),
    path(
        "plans/<int:plan_id>/<str:code>/edit/", commitments.commitment_edit, name="commitment_edit"
    ),
    path(
        "plans/<int:plan_id>/<str:code>/split/",
        commitments.commitment_split,
        name="commitment_split",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/withdraw/",
        commitments.commitment_withdraw,
        name="commitment_withdraw",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/light/", commitments.light_override, name="light_override"
    ),
    path("plans/<int:plan_id>/<str:code>/targets/add/", commitments.target_form, name="target_add"),
    path(
        "plans/<int:plan_id>/<str:code>/targets/<int:target_id>/",
        commitments.target_form,
        name="target_edit",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/targets/<int:target_id>/remove/",
        commitments.target_remove,
        name="target_remove",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/milestones/add/",
        commitments.milestone_add,
        name="milestone_add",
    ),
    path(
        "plans/<int:plan_id>/<str:code>/milestones/propose/",
        commitments.milestones_propose,
        name="milestones_propose",
    ),
    path("milestones/<str:number>/", carrying.milestone_detail, name="milestone_detail"),
    path("milestones/<str:number>/urge/", carrying.milestone_urge, name="milestone_urge"),
    path(
        "milestones/<str:number>/withdraw/", carrying.milestone_withdraw, name="milestone_withdraw"
    ),
    path(
        "milestones/<str:number>/files/<uuid:file_id>/",
        carrying.milestone_file,
        name="milestone_file",
    ),
    path("milestones/<str:number>/<slug:step>/", carrying.milestone_step, name="milestone_step"),
    path("extensions/<str:number>/", carrying.extension_detail, name="extension_detail"),
    path("extensions/<str:number>/<slug:step>/", carrying.extension_step, name="extension_step"),
]
