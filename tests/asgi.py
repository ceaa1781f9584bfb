"""The application that uvicorn serves in the tests of ASGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings_asgi")
application = get_asgi_application()
