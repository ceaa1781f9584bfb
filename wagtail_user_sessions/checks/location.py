"""Check of the GeoIP database at GEOIP_PATH."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.client.geoip import (
    NoPlacesError,
    database_path,
    open_database,
)
from wagtail_user_sessions.conf import Conf, conf

from .messages import TAG, warning

HINT = (
    "Put a database of cities or countries in MaxMind's format there, such as "
    "GeoLite2-City, DB-IP's City Lite or IPinfo Lite; in a folder it is named by "
    "GEOIP_CITY or GEOIP_COUNTRY. To do without places, set "
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
        open_database(found)
    except NoPlacesError as failure:
        message = f"The GeoIP database {found} can't be used: {failure}."
        return [warning(9, message, hint=HINT)]
    except Exception as failure:
        message = f"The GeoIP database at GEOIP_PATH can't be opened: {failure}"
        return [warning(9, message, hint=HINT)]
    return []
