"""The Content-Security-Policy of the pages that visitors see."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Wagtail's own pages have inline scripts, and frame a page to preview it.
WITHOUT_POLICY = ("/admin/", "/documents/")


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Wagtail makes a preview by a dummy request for the page's own path.
        is_preview = getattr(request, "is_dummy", False)
        if not is_preview and not request.path.startswith(WITHOUT_POLICY):
            response["Content-Security-Policy"] = POLICY
        return response
