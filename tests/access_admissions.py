"""The access matrix of admissions: the tiny season, a family with one application, its school, others."""

#: Pages of a family, whose rows are its own: nobody else's post leads there.  Tested in
#: domains/admissions/tests/test_family.py.
FAMILY = {
    "enrol", "my_draft_new", "my_draft", "my_draft_page", "my_draft_save", "my_draft_ask",
    "my_draft_dispute", "my_draft_detach", "my_draft_discard", "my_draft_check", "my_draft_submit",
    "my_path_new", "my_path", "my_path_withdraw", "my_application", "my_application_sent",
    "my_application_looked", "my_application_act", "my_paper",
}  # fmt: skip
#: The desk of freezing, draw, allocation and publication, and what anybody may check.  Tested role by
#: role in domains/admissions/tests/test_allocation_pages.py.
ALLOCATION = {
    "allocation_home", "roll_freeze", "freeze_detail", "freeze_void", "draw_commit", "draw_stage",
    "draw_act", "draw_minutes", "allocation_run", "allocation_detail", "allocation_child",
    "allocation_check", "allocation_publish", "what_if_add", "what_if_compare", "proof",
    "proof_file", "my_leaf",
}  # fmt: skip
#: A school's new children, its classes, what anybody may check of them, the way from a figure to a row.
#: Tested in domains/admissions/tests/test_school.py and test_indicators.py.
SCHOOL = {
    "school_intake", "school_call", "school_file", "school_enter", "class_draw", "class_draw_act",
    "class_minutes", "class_proof", "class_proof_file", "enrolment_row",
}  # fmt: skip
#: The machine interface, where a token decides, and who hands tokens out.  Tested in xuezheng/api/tests.
API = {
    "api_openapi", "api_seasons", "api_zones", "api_submit_application", "api_status",
    "api_result", "client_list", "client_add", "client_revoke", "client_openapi",
}  # fmt: skip
#: The desks of verifying, counter, roll, tracing, special paths, reviews, notices.  Tested role by role
#: in domains/admissions/tests/test_desk_access.py.
DESK = {
    "application_list", "application_next", "application_bulk", "application_detail",
    "application_step", "application_hand_over", "application_family", "application_party",
    "application_reveal", "application_ask", "application_paper", "counter_register",
    "counter_receipt", "roll_list", "roll", "roll_leavers", "roll_follow", "roll_pairs", "roll_join",
    "roll_apart", "path_add",
    "follow_up_list", "follow_up_detail", "follow_up_step", "follow_up_file", "follow_up_letter",
    "path_list", "path_detail", "path_step", "path_file", "path_decision", "review_detail",
    "review_step", "notice_of_admission", "school_notices", "notice_check", "notice_check_code",
}  # fmt: skip
#: The season desk: seasons, ladders, areas, consultations, what anybody may look up.  Tested role by role
#: in domains/admissions/tests/test_planning_pages.py.
PLANNING = {
    "season_list", "season_add", "season_detail", "season_edit", "season_copy", "season_difference",
    "season_intakes", "season_redirections", "season_rules", "season_open", "season_close",
    "season_forecast", "reserved_list", "dwelling_lock_list", "rule_set_list", "rule_set_add",
    "rule_set_detail", "rule_set_edit", "rule_set_adopt", "rule_set_remove", "rule_set_try",
    "zone_list", "zone_add", "zone_edit", "zone_remove", "zone_map", "zone_survey",
    "consultation_list", "consultation_add", "consultation_detail", "consultation_edit",
    "consultation_reply", "consultation_answer", "consultation_step", "consultation_paper",
    "consultation_print", "consultation_docx", "zone_lookup", "lock_lookup", "enrol_forecast",
    "enrol_consultations", "enrol_consultation",
}  # fmt: skip
