"""What the workers serve."""

import os

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from . import breaking  # noqa: E402  (models are there only now)

breaking.switch_off(os.environ.get("LOAD_BREAK"))
