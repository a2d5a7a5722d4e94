"""Headers on every answer: nothing from elsewhere, nothing inline, nothing kept."""

from flask import Flask, Response, request

_DIRECTIVES = (
    "default-src 'none'",
    "img-src 'self'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(_DIRECTIVES),
    "X-Content-Type-Options": "nosniff",
    # A platform's id may stand in the address a person came from; it goes to nobody.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "X-Frame-Options": "DENY",
}


def set_headers(app: Flask, *, insecure_http: bool) -> None:
    """Put them on every response of `app`."""

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        if not insecure_http:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        # Static files are the same for everybody; every other page may hold what is one person's.
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "private, no-store"
        return response
