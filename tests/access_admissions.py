"""The access matrix of admissions: the tiny season, a family with one application, its school, others."""

#: Pages of a family, whose rows are its own: nobody else's post leads there.  Tested in
#: domains/admissions/tests/test_family.py.
FAMILY = {
    "enrol", "my_draft_new", "my_draft", "my_draft_page", "my_draft_save", "my_draft_ask",
    "my_draft_dispute", "my_draft_detach", "my_draft_discard", "my_draft_check", "my_draft_submit",
    "my_path_new", "my_path", "my_path_withdraw", "my_application", "my_application_sent",
    "my_application_looked", "my_application_act", "my_paper",
}  # fmt: skip
