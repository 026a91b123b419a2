from django.urls import path

from xuezheng.kernel.ui import views

urlpatterns = [
    path("large-text/", views.large_text, name="large_text"),
    path("words/", views.search_words, name="search_words"),
]
