"""Addresses of quarterly scores."""

from django.urls import path

from xuezheng.domains.workplan.views import scoring

urlpatterns = [
    path("scores/", scoring.score_list, name="score_list"),
    path(
        "scores/contests/<str:number>/", scoring.score_contest_detail, name="score_contest_detail"
    ),
    path(
        "scores/contests/<str:number>/files/<uuid:file_id>/",
        scoring.score_contest_file,
        name="score_contest_file",
    ),
    path(
        "scores/contests/<str:number>/<slug:step>/",
        scoring.score_contest_step,
        name="score_contest_step",
    ),
    path("scores/<str:number>/", scoring.score_detail, name="score_detail"),
    path("scores/<str:number>/files/excel/", scoring.score_excel, name="score_excel"),
    path("scores/<str:number>/files/word/", scoring.score_word, name="score_word"),
    path("scores/<str:number>/offices/<int:line_id>/", scoring.score_office, name="score_office"),
    path("scores/<str:number>/hand/", scoring.score_hand, name="score_hand"),
    path("scores/<str:number>/correct/", scoring.score_correct, name="score_correct"),
    path(
        "scores/<str:number>/events/<int:event_id>/contest/",
        scoring.score_contest,
        name="score_contest",
    ),
    path(
        "scores/<str:number>/events/<int:event_id>/confirm/",
        scoring.score_confirm,
        name="score_confirm",
    ),
    path(
        "scores/<str:number>/events/<int:event_id>/files/document/",
        scoring.score_document,
        name="score_document",
    ),
    path("scores/<str:number>/<slug:step>/", scoring.score_step, name="score_step"),
]
