from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OversightConfig(AppConfig):
    name = "xuezheng.domains.oversight"
    label = "oversight"
    verbose_name = _("监督检查")

    def ready(self) -> None:
        """Make the flows known to the inbox."""
        from xuezheng.domains.oversight import flows  # noqa: F401
