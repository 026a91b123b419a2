from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "xuezheng.kernel.ui"
    label = "ui"
