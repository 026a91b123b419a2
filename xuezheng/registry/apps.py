from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "xuezheng.registry"
    label = "registry"

    def ready(self) -> None:
        """Have the parameter screen ask this storey about values of its parameters."""
        from xuezheng.registry import limits

        limits.connect()
