"""Settings of the tests: the owner's connection, but every fence takes the web role."""

from xuezheng.config.settings import *  # noqa: F403

FENCE_ROLE = "xuezheng_web"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
# Whoever a test signs in by force has also given the second factor.
SESSION_ENGINE = "tests.sessions"
