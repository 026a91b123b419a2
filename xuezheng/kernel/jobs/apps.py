from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "xuezheng.kernel.jobs"
    label = "jobs"
