"""Pages that do little else than their work on the session."""

from itertools import count

from django.contrib import auth
from django.http import HttpRequest, HttpResponse

_values = count()


def anonymous(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello")


def stored(request: HttpRequest) -> HttpResponse:
    """Store something for a visitor."""
    request.session["value"] = 1
    return HttpResponse("Hello")


def visitor(request: HttpRequest) -> HttpResponse:
    if request.session.get("value") != 1:
        raise RuntimeError("Nothing stored")
    return HttpResponse("Hello")


def signed_in(request: HttpRequest) -> HttpResponse:
    return _greet(request)


def changed(request: HttpRequest) -> HttpResponse:
    """Change the session after reading the user, as most pages do."""
    response = _greet(request)
    request.session["value"] = next(_values)
    return response


def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in without checking a password, which would take too long."""
    user = request.META["benchmark.user"]
    auth.login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("Hello")


def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponse("Good bye")


def _greet(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        raise RuntimeError("Not signed in")
    return HttpResponse(request.user.get_username())
