from django.urls import path

from xuezheng.domains.workplan.views import carrying, commitments, plans

urlpatterns = [
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
        "plans/<int:plan_id>/<str:code>/accept/",
        commitments.commitment_accept,
        name="commitment_accept",
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
