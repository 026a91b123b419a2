from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdmissionsConfig(AppConfig):
    name = "xuezheng.domains.admissions"
    label = "admissions"
    verbose_name = _("招生入学")

    def ready(self) -> None:
        """A guardian named with a telephone is known when it is proved."""
        from xuezheng.domains.admissions.services.answering import link_parties
        from xuezheng.registry.services.families import COMES_IN

        if link_parties not in COMES_IN:
            COMES_IN.append(link_parties)
