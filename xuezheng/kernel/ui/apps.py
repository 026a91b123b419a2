from django.apps import AppConfig
from django.forms import Field
from django.utils.translation import gettext_lazy as _


class UiConfig(AppConfig):
    name = "xuezheng.kernel.ui"
    label = "ui"

    def ready(self) -> None:
        """Django says that a field is required; our words say what to do."""
        Field.default_error_messages["required"] = _("请填写或选择。")
