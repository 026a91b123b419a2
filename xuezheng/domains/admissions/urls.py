from django.urls import path

from xuezheng.domains.admissions.views import family, rows, verifying

urlpatterns = [
    # From figures to their rows.
    path("admissions/rows/<int:pk>/", rows.enrolment_row, name="enrolment_row"),
    # Families.
    path("my/admissions/<str:number>/", family.my_application, name="my_application"),
    # Verifiers.
    path(
        "admissions/applications/<str:number>/",
        verifying.application_detail,
        name="application_detail",
    ),
]
