"""WSGI entry point for granian."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from xuezheng.config.serve import end_with_parent

# Here, because each of granian's workers imports this module.  Killed, not asked: a worker whose
# server died abruptly would otherwise go on serving while the next start waits for the port.
end_with_parent(signal.SIGKILL)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xuezheng.config.settings")
application = get_wsgi_application()
