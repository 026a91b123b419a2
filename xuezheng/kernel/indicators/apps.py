from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class IndicatorsConfig(AppConfig):
    name = "xuezheng.kernel.indicators"
    label = "indicators"
    verbose_name = _("指标")

    def ready(self) -> None:
        """Load every system's declarations, so that the catalogue is complete."""
        autodiscover_modules("indicators")
