from django.urls import path

from xuezheng.kernel.exchange import views

urlpatterns = [
    path("imports/", views.batch_list, name="batch_list"),
    path("imports/new/", views.upload, name="batch_upload"),
    path("imports/template/<slug:table>/", views.template, name="batch_template"),
    path("imports/<uuid:pk>/", views.batch_detail, name="batch_detail"),
    path("imports/<uuid:pk>/progress/", views.progress, name="batch_progress"),
    path("imports/<uuid:pk>/wrong-rows/", views.wrong_rows, name="batch_wrong_rows"),
    path("imports/<uuid:pk>/confirm/", views.confirm, name="batch_confirm"),
    path("imports/<uuid:pk>/compare/", views.compare_again, name="batch_compare"),
    path("imports/<uuid:pk>/give-up/", views.give_up, name="batch_give_up"),
    path("imports/<uuid:pk>/undo/", views.undo, name="batch_undo"),
    path("imports/<uuid:pk>/handout/", views.handout, name="batch_handout"),
]
