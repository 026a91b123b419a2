from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "xuezheng.registry"
    label = "registry"
