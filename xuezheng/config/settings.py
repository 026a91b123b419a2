"""Django settings, from the checked environment (environment.py lists the keys)."""

import sys
from pathlib import Path

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from xuezheng.config import postgres
from xuezheng.config.environment import (
    ConfigurationError,
    Environment,
    identity_keys,
    notice_channels,
    public_url,
    registers_of,
    signin_ways,
    stored_secret,
)

env = Environment()
BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = postgres.location(env.get("XUEZHENG_DATA_DIR") or None)

# -- database ---------------------------------------------------------------------------------------
DB_ROLES = ("owner", "web", "worker")
DB_ROLE = env.get("XUEZHENG_ROLE", "web")
if DB_ROLE not in DB_ROLES:
    raise ConfigurationError(f"XUEZHENG_ROLE: {DB_ROLE}")
DATABASE_URL = env.get(f"XUEZHENG_DATABASE_{DB_ROLE.upper()}_URL")
EMBEDDED = not DATABASE_URL
_conninfo = conninfo_to_dict(DATABASE_URL or postgres.Cluster(DATA_DIR).login(DB_ROLE).conninfo())
DATABASES = {
    "default": {
        "ENGINE": "xuezheng.config.backend",
        "NAME": _conninfo.get("dbname", "xuezheng"),
        "USER": _conninfo.get("user", ""),
        "PASSWORD": _conninfo.get("password", ""),
        "HOST": _conninfo.get("host", ""),
        "PORT": str(_conninfo.get("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3},
    }
}
#: Role taken inside every fence; the owner's commands (migrate, demo) keep their own.
FENCE_ROLE = "" if DB_ROLE == "owner" else f"xuezheng_{DB_ROLE}"
#: Reach handed to row-level policies: prefix of the database settings -> permission that gives it.
FENCE_SCOPES = {
    "xuezheng.pupils": "registry.pupil.see",
    "xuezheng.admissions": "admissions.see",
    "xuezheng.roll": "admissions.follow_up",
    "xuezheng.paths": "admissions.paths.decide",
}
STATEMENT_TIMEOUT = "15s"

# -- program ----------------------------------------------------------------------------------------
#: Keys of sealed columns, tag -> 64 bytes; the last one seals.  Outside the database and its dumps.
IDENTITY_KEYS = identity_keys(env.get("XUEZHENG_IDENTITY_KEYS"), DATA_DIR)
SECRET_KEY = env.get("XUEZHENG_SECRET_KEY") or stored_secret(DATA_DIR, "secret_key")
DEBUG = False
ALLOWED_HOSTS = [
    host.strip()
    for host in env.get("XUEZHENG_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
]
FILES_DIR = Path(env.get("XUEZHENG_FILES_DIR") or DATA_DIR / "files")
SNAPSHOTS_DIR = DATA_DIR / "snapshots"
AUDIT_HEAD_FILE = Path(env.get("XUEZHENG_AUDIT_HEAD_FILE") or DATA_DIR / "audit-heads.txt")
IS_DEMO = env.flag("XUEZHENG_DEMO")
#: Registers of other departments that admissions may ask (domains/admissions/registers).
REGISTERS = registers_of(env, DATA_DIR / "registers" if IS_DEMO else None)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_filters",
    "django_htmx",
    "csp",
    "procrastinate.contrib.django",
    "xuezheng.kernel.reference",
    "xuezheng.kernel.access",
    "xuezheng.kernel.audit",
    "xuezheng.kernel.files",
    "xuezheng.kernel.indicators",
    "xuezheng.kernel.cases",
    "xuezheng.kernel.jobs",
    "xuezheng.kernel.exchange",
    "xuezheng.kernel.notices",
    "xuezheng.kernel.ui",
    "xuezheng.registry",
    "xuezheng.domains.oversight",
    "xuezheng.domains.workplan",
    "xuezheng.domains.admissions",
    "xuezheng.api",
    "xuezheng.boards",
    "xuezheng.demo",
]
MIDDLEWARE = [
    "xuezheng.kernel.telemetry.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "xuezheng.kernel.access.signin.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "xuezheng.kernel.access.signin.middleware.SessionRulesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "xuezheng.kernel.ui.conflict.ConflictMiddleware",
    # Innermost: all that a view does, and the rendering of its page, happens inside the fence.
    "xuezheng.kernel.access.fence.FenceMiddleware",
    "xuezheng.registry.switches.SwitchMiddleware",
]
ROOT_URLCONF = "xuezheng.config.urls"
WSGI_APPLICATION = "xuezheng.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "xuezheng.boards.context.shell",
            ],
            "builtins": ["xuezheng.kernel.ui.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "xuezheng.kernel.ui.forms.FormRenderer"
ROLES_MODULE = "xuezheng.registry.roles"
AUTH_USER_MODEL = "access.User"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "xuezheng.kernel.access.signin.passwords.PasswordRules"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SIGNIN_WAYS = signin_ways(env, DATA_DIR)
#: Where messages go outside (kernel/notices/channels), and what their links begin with.
NOTICE_CHANNELS = notice_channels(env, DATA_DIR)
PUBLIC_URL = public_url(env)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "xuezheng.kernel.jobs.apps.watch_failures"
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024

# -- words ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# -- static files: straight from the packages, no collecting step -----------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

# -- security ---------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
HTTPS = env.flag("XUEZHENG_HTTPS")
CSRF_FAILURE_VIEW = "xuezheng.boards.views.errors.stale"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
#: How long a session lasts is a parameter (access.signin); these are the outer limits.
SESSION_ENGINE = "xuezheng.kernel.access.signin.sessions"
SESSION_COOKIE_AGE = 24 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

# -- what the program says about itself: nothing personal (kernel/telemetry) ------------------------
LOG_FORMAT = env.get("XUEZHENG_LOG_FORMAT") or ("line" if sys.stderr.isatty() else "json")
if LOG_FORMAT not in {"json", "line"}:
    raise ConfigurationError(f"XUEZHENG_LOG_FORMAT: {LOG_FORMAT} (json, line)")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "xuezheng.kernel.telemetry.logs.Json"},
        "line": {"()": "xuezheng.kernel.telemetry.logs.Line"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # A person at a terminal wants to see what went wrong, not every request.
    "loggers": {"xuezheng": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"}},
}
#: What whoever reads /metrics must show; without it there is no such address.
METRICS_TOKEN = env.get("XUEZHENG_METRICS_TOKEN")
