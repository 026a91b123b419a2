from django.urls import path

from xuezheng.kernel.ui import views

urlpatterns = [
    path("large-text/", views.large_text, name="large_text"),
    path("style-guide/", views.style_guide, name="style_guide"),
]
