from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdmissionsConfig(AppConfig):
    name = "xuezheng.domains.admissions"
    label = "admissions"
    verbose_name = _("招生入学")
