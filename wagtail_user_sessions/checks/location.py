"""Check of the GeoIP database at GEOIP_PATH."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.gis.geoip2 import GeoIP2
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.client.geoip import database_path
from wagtail_user_sessions.conf import Conf, conf

from .messages import TAG, warning

HINT = (
    "Put a City or Country database in MaxMind's format there; in a folder it is "
    "named by GEOIP_CITY or GEOIP_COUNTRY. To do without places, set "
    f"{Conf.LOCATION.name} = False."
)


@register(TAG)
def check_location(**kwargs: Any) -> list[CheckMessage]:
    path = getattr(settings, "GEOIP_PATH", None)
    if not path or not conf.LOCATION:
        return []
    try:
        found = database_path()
        if found is None:
            message = f"There is no GeoIP database at GEOIP_PATH, {str(path)!r}."
            return [warning(8, message, hint=HINT)]
        GeoIP2(found)
    except Exception as failure:
        message = f"The GeoIP database at GEOIP_PATH can't be opened: {failure}"
        return [warning(9, message, hint=HINT)]
    return []
