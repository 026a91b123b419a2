"""WSGI entry point for granian."""

import gc
import os
import signal

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from xuezheng.config.serve import end_with_parent

# Here, because each of granian's workers imports this module.  Killed, not asked: a worker whose
# server died abruptly would otherwise go on serving while the next start waits for the port.
end_with_parent(signal.SIGKILL)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xuezheng.config.settings")
application = get_wsgi_application()

# What the program itself consists of never goes: looked through at every full collection, it made one
# page in a few, and each survey of thousands of addresses, 70 ms longer.  Views are loaded first.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
