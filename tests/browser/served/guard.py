from django.contrib.auth.views import redirect_to_login


class Middleware:
    """Redirects every visitor to the login page, whatever the view requires."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated or request.path == "/login/":
            return self.get_response(request)
        return redirect_to_login(request.get_full_path())
