"""The application that asynchronous workers serve."""

import os

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from . import breaking  # noqa: E402  (needs the models)

breaking.switch_off(os.environ.get("LOAD_BREAK"))
