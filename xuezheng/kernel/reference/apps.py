from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferenceConfig(AppConfig):
    name = "xuezheng.kernel.reference"
    label = "reference"
    verbose_name = _("参数与日历")
