"""The application factory."""

import secrets
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from flask import Flask, request
from flask_babel import Babel, get_locale
from flask_limiter import Limiter
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from .clock import Clock, utc_now
from .cookies import Doors
from .database import Database
from .headers import set_headers
from .language import LANGUAGES, chosen_locale
from .logs import log_requests
from .pages import BLUEPRINTS, LIMITS, errors
from .pictures import PictureStore
from .resources import KEY, Resources
from .settings import Settings


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """A study server for `settings`.

    The database is opened with the first request and is never migrated here: see `migration`.
    """
    app = Flask(__name__)
    app.config.from_mapping(_configuration(settings))
    app.session_interface = Doors()
    app.extensions[KEY] = Resources(settings, Database(settings.database_url), PictureStore(settings.pictures), clock)
    if settings.proxies:
        count = settings.proxies
        # Flask documents this assignment as the way to wrap an application.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    log_requests(app)
    CSRFProtect(app)
    Babel(app, locale_selector=chosen_locale)
    app.jinja_env.globals.update(languages=LANGUAGES, get_locale=get_locale)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    errors.register(app)
    _limit(app, settings)
    set_headers(app, insecure_http=settings.insecure_http)
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    secure = not settings.insecure_http
    return {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "SESSION_COOKIE_NAME": "__Host-study" if secure else "study",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "TRUSTED_HOSTS": list(settings.trusted_hosts),
        "MAX_CONTENT_LENGTH": 64 * 1024,
        "MAX_FORM_MEMORY_SIZE": 64 * 1024,
        "MAX_FORM_PARTS": 40,
        # A token lives as long as its session: nobody loses an answer by thinking for an hour.
        "WTF_CSRF_TIME_LIMIT": None,
        # Its check of the referrer would fail, because our own policy is to send none.
        "WTF_CSRF_SSL_STRICT": False,
        "BABEL_DEFAULT_LOCALE": "en",
        "RATELIMIT_ENABLED": settings.rate_limits,
    }


def _limit(app: Flask, settings: Settings) -> None:
    """Rate limits by endpoint. Addresses are hashed with a salt that dies with the process, and never stored."""
    salt = secrets.token_bytes(16)

    def somebody() -> str:
        return blake2b((request.remote_addr or "").encode(), key=salt, digest_size=16).hexdigest()

    limiter = Limiter(key_func=somebody, app=app, storage_uri=settings.rate_limit_storage)
    app.extensions["spade_study_limiter"] = limiter  # the views know it by a weak reference alone
    for endpoint, (limit, methods) in LIMITS.items():
        limited: Any = limiter.limit(limit, methods=list(methods))(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited
