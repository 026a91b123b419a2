from django.urls import path

from xuezheng.domains.admissions.views import (
    allocation,
    counter,
    draw,
    family,
    family_case,
    follow_ups,
    notices,
    paths,
    proof,
    reviews,
    roll,
    rows,
    school,
    verifying,
)

CHECKED, TRACED, ASKED, ROLL = (
    "admissions/applications/<str:number>/",
    "admissions/follow-ups/<str:number>/",
    "admissions/paths/<str:number>/",
    "admissions/roll/<int:season_id>/",
)
DRAFT, MINE = "my/admissions/drafts/<uuid:pk>/", "my/admissions/<str:number>/"
INTAKE = "admissions/school/<int:season_id>/<str:code>/"

urlpatterns = [
    # A school's new children and classes; the last two are public.
    path("admissions/school/", school.school_intake, name="school_intake"),
    path(f"{INTAKE}call/", school.school_call, name="school_call"),
    path(f"{INTAKE}file/", school.school_file, name="school_file"),
    path(f"{INTAKE}enter/", school.school_enter, name="school_enter"),
    path(f"{INTAKE}classes/", school.class_draw, name="class_draw"),
    path("admissions/classes/<int:pk>/<slug:act>/", school.class_draw_act, name="class_draw_act"),
    path("enrol/classes/<int:pk>/", school.class_proof, name="class_proof"),
    path("enrol/classes/<int:pk>/proof.json", school.class_proof_file, name="class_proof_file"),
    # From figures to their rows.
    path("admissions/rows/<int:pk>/", rows.enrolment_row, name="enrolment_row"),
    # Families (views/family.py until a draft is handed in, views/family_case.py after that).
    path("enrol/", family.enrol, name="enrol"),
    path("my/admissions/", family.my_admissions, name="my_admissions"),
    path("my/admissions/new/<int:pk>/", family.my_draft_new, name="my_draft_new"),
    path(DRAFT, family.my_draft, name="my_draft"),
    path(f"{DRAFT}check/", family.my_draft_check, name="my_draft_check"),
    path(f"{DRAFT}submit/", family.my_draft_submit, name="my_draft_submit"),
    path(f"{DRAFT}discard/", family.my_draft_discard, name="my_draft_discard"),
    path(f"{DRAFT}papers/<uuid:file_id>/remove/", family.my_draft_detach, name="my_draft_detach"),
    path(f"{DRAFT}<slug:step>/", family.my_draft_page, name="my_draft_page"),
    path(f"{DRAFT}<slug:step>/save/", family.my_draft_save, name="my_draft_save"),
    path(f"{DRAFT}<slug:step>/ask/", family.my_draft_ask, name="my_draft_ask"),
    path(f"{DRAFT}<slug:step>/dispute/", family.my_draft_dispute, name="my_draft_dispute"),
    path("my/admissions/paths/new/<slug:kind>/", family_case.my_path_new, name="my_path_new"),
    path("my/admissions/paths/<str:number>/", family_case.my_path, name="my_path"),
    path(
        "my/admissions/paths/<str:number>/withdraw/",
        family_case.my_path_withdraw,
        name="my_path_withdraw",
    ),
    path(f"{MINE}notice/", notices.notice_of_admission, name="notice_of_admission"),
    path(MINE, family_case.my_application, name="my_application"),
    path(f"{MINE}sent/", family_case.my_application_sent, name="my_application_sent"),
    path(f"{MINE}looked/", family_case.my_application_looked, name="my_application_looked"),
    path(f"{MINE}papers/<uuid:file_id>/", family_case.my_paper, name="my_paper"),
    path(f"{MINE}<slug:act>/", family_case.my_application_act, name="my_application_act"),
    # Verifiers.
    path("admissions/applications/", verifying.application_list, name="application_list"),
    path("admissions/applications/next/", verifying.application_next, name="application_next"),
    path("admissions/applications/bulk/", verifying.application_bulk, name="application_bulk"),
    path(CHECKED, verifying.application_detail, name="application_detail"),
    path(f"{CHECKED}hand-over/", verifying.application_hand_over, name="application_hand_over"),
    path(f"{CHECKED}family/", verifying.application_family, name="application_family"),
    path(f"{CHECKED}party/", verifying.application_party, name="application_party"),
    path(f"{CHECKED}reveal/", verifying.application_reveal, name="application_reveal"),
    path(f"{CHECKED}ask/<slug:register>/", verifying.application_ask, name="application_ask"),
    path(f"{CHECKED}papers/<uuid:file_id>/", verifying.application_paper, name="application_paper"),
    path(f"{CHECKED}<slug:step>/", verifying.application_step, name="application_step"),
    # The counter.
    path("admissions/counter/", counter.counter_register, name="counter_register"),
    path("admissions/counter/<str:number>/", counter.counter_receipt, name="counter_receipt"),
    # The roll and who is missing.
    path("admissions/roll/", roll.roll_list, name="roll_list"),
    path(ROLL, roll.roll, name="roll"),
    path(f"{ROLL}leavers/", roll.roll_leavers, name="roll_leavers"),
    path(f"{ROLL}follow/", roll.roll_follow, name="roll_follow"),
    path(f"{ROLL}pairs/", roll.roll_pairs, name="roll_pairs"),
    path(f"{ROLL}pairs/<slug:loose>/<slug:kept>/", roll.roll_join, name="roll_join"),
    path("admissions/follow-ups/", follow_ups.follow_up_list, name="follow_up_list"),
    path(TRACED, follow_ups.follow_up_detail, name="follow_up_detail"),
    path(f"{TRACED}letter/", follow_ups.follow_up_letter, name="follow_up_letter"),
    path(f"{TRACED}files/<uuid:file_id>/", follow_ups.follow_up_file, name="follow_up_file"),
    path(f"{TRACED}<slug:step>/", follow_ups.follow_up_step, name="follow_up_step"),
    # Reviews, and requests beside the regular way.
    path("admissions/reviews/<str:number>/", reviews.review_detail, name="review_detail"),
    path("admissions/reviews/<str:number>/<slug:step>/", reviews.review_step, name="review_step"),
    path("admissions/paths/", paths.path_list, name="path_list"),
    path(ASKED, paths.path_detail, name="path_detail"),
    path(f"{ASKED}decision/", paths.path_decision, name="path_decision"),
    path(f"{ASKED}files/<uuid:file_id>/", paths.path_file, name="path_file"),
    path(f"{ASKED}<slug:step>/", paths.path_step, name="path_step"),
    # Notices of admission; the last two are public.
    path(
        "admissions/notices/<int:season_id>/<str:code>/",
        notices.school_notices,
        name="school_notices",
    ),
    path("enrol/notice/", notices.notice_check, name="notice_check"),
    path("enrol/notice/<str:code>/", notices.notice_check_code, name="notice_check_code"),
    # Freezing, draw, allocation, publication; what anybody may check.
    path("enrol/proof/<int:pk>/", proof.proof, name="proof"),
    path("enrol/proof/<int:pk>/<int:number>/<str:name>", proof.proof_file, name="proof_file"),
    path("my/admissions/<str:number>/mine.json", proof.my_leaf, name="my_leaf"),
    path(
        "admissions/seasons/<int:pk>/results/", allocation.allocation_home, name="allocation_home"
    ),
    path("admissions/seasons/<int:pk>/freeze/", allocation.roll_freeze, name="roll_freeze"),
    path("admissions/seasons/<int:pk>/allocate/", allocation.allocation_run, name="allocation_run"),
    path("admissions/seasons/<int:pk>/what-if/", allocation.what_if_add, name="what_if_add"),
    path(
        "admissions/seasons/<int:pk>/compare/", allocation.what_if_compare, name="what_if_compare"
    ),
    path("admissions/freezes/<int:pk>/", allocation.freeze_detail, name="freeze_detail"),
    path("admissions/freezes/<int:pk>/void/", allocation.freeze_void, name="freeze_void"),
    path("admissions/freezes/<int:pk>/draw/", draw.draw_commit, name="draw_commit"),
    path("admissions/draws/<int:pk>/", draw.draw_stage, name="draw_stage"),
    path("admissions/draws/<int:pk>/minutes.docx", draw.draw_minutes, name="draw_minutes"),
    path("admissions/draws/<int:pk>/<slug:act>/", draw.draw_act, name="draw_act"),
    path(
        "admissions/allocations/<int:pk>/", allocation.allocation_detail, name="allocation_detail"
    ),
    path(
        "admissions/allocations/<int:pk>/why/<str:code>/",
        allocation.allocation_child,
        name="allocation_child",
    ),
    path(
        "admissions/allocations/<int:pk>/check/",
        allocation.allocation_check,
        name="allocation_check",
    ),
    path(
        "admissions/allocations/<int:pk>/publish/",
        allocation.allocation_publish,
        name="allocation_publish",
    ),
]
