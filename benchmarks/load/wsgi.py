"""The application that the workers serve."""

import os

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from . import breaking  # noqa: E402  (needs the models)

breaking.switch_off(os.environ.get("LOAD_BREAK"))
