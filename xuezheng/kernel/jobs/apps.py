from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from procrastinate import App


class JobsConfig(AppConfig):
    name = "xuezheng.kernel.jobs"
    label = "jobs"
    verbose_name = _("后台任务")


def watch_failures(app: App) -> None:
    """Called by the queue when it is ready: every worker notes why a job failed."""
    from xuezheng.kernel.jobs.failures import keep_failures  # models are loaded by now

    app.worker_defaults["worker_middleware"] = [keep_failures]
