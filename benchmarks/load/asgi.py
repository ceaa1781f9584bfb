"""What asynchronous workers serve."""

import os

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from . import breaking  # noqa: E402  (models are there only now)

breaking.switch_off(os.environ.get("LOAD_BREAK"))
