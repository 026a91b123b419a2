"""WSGI entry point for granian."""

import os

from django.core.wsgi import get_wsgi_application

from xuezheng.config.serve import end_with_parent

# Here, because each of granian's workers imports this module.
end_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xuezheng.config.settings")
application = get_wsgi_application()
