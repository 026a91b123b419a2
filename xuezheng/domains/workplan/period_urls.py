"""Addresses of planning periods."""

from django.urls import path

from xuezheng.domains.workplan.views import periods

urlpatterns = [
    path("periods/", periods.period_list, name="period_list"),
    path("periods/add/", periods.period_add, name="period_add"),
    path("periods/<int:period_id>/", periods.period_detail, name="period_detail"),
    path("periods/<int:period_id>/goals/", periods.period_goal_add, name="period_goal_add"),
    path("periods/goals/<int:goal_id>/", periods.period_goal_detail, name="period_goal_detail"),
    path(
        "periods/goals/<int:goal_id>/figures/",
        periods.period_figure_add,
        name="period_figure_add",
    ),
]
