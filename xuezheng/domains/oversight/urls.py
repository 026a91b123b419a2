from django.urls import path

from xuezheng.domains.oversight import views

urlpatterns = [
    path("hazards/", views.hazard_list, name="hazard_list"),
    path("hazards/report/", views.hazard_report, name="hazard_report"),
    path("hazards/<str:number>/", views.hazard_detail, name="hazard_detail"),
    path("hazards/<str:number>/urge/", views.hazard_urge, name="hazard_urge"),
    path("hazards/<str:number>/files/<uuid:file_id>/", views.hazard_file, name="hazard_file"),
    path("hazards/<str:number>/<slug:step>/", views.hazard_step, name="hazard_step"),
]
