from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "xuezheng.demo"
    label = "demo"
