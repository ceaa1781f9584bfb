from __future__ import annotations

import re
from typing import Any

from django import template
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.template import Context
from django.templatetags.static import static
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from wagtail_user_sessions.devices_page.device_list import DeviceList, get_device_list
from wagtail_user_sessions.devices_page.list_params import ListParams
from wagtail_user_sessions.devices_page.page_config import default_page_config
from wagtail_user_sessions.devices_page.preview import preview_list

register = template.Library()


@register.inclusion_tag(
    "wagtail_user_sessions/partials/tag.html",
    name="device_list",
    takes_context=True,
)
def show_device_list(context: Context) -> dict[str, Any]:
    """The list of the visitor's devices, inside any page of the site.

    Shows nothing to whoever isn't signed in. A page with it must not be cached.
    In the template of a ``DevicesPageMixin`` it is that page's own list.
    """
    if isinstance(devices := context.get("devices"), DeviceList):
        return {"devices": devices}
    request = context.get("request")
    if request is None:
        raise ImproperlyConfigured(
            "{% device_list %} needs the context processor "
            "django.template.context_processors.request."
        )
    if getattr(request, "is_preview", False):
        return {"devices": preview_list()}
    if not request.user.is_authenticated:
        return {"devices": None}
    url_for = default_page_config(request).url_for
    return {"devices": get_device_list(request, ListParams(), url_for=url_for)}


@register.filter
def breakable(ip: str) -> SafeString:
    """The IP address, to be broken between its groups where there is no room."""
    if ":" not in ip:
        return escape(ip)
    groups = re.findall(r"[^:]*:+|[^:]+", ip)
    return format_html_join(mark_safe("<wbr>"), "{}", ((group,) for group in groups))


@register.simple_tag
def htmx_url() -> str:
    """The address of django-htmx's htmx; empty where its app isn't installed."""
    is_installed = apps.is_installed("django_htmx")
    return static("django_htmx/htmx-2.min.js") if is_installed else ""
