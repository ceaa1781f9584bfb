from __future__ import annotations

from typing import Any

from django import template
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.template import Context
from django.templatetags.static import static

from wagtail_user_sessions.devices_page.device_list import DeviceList, get_device_list
from wagtail_user_sessions.devices_page.formatting import break_between_groups
from wagtail_user_sessions.devices_page.list_params import ListParams
from wagtail_user_sessions.devices_page.own_sessions import is_signed_in
from wagtail_user_sessions.devices_page.page_config import default_page_config
from wagtail_user_sessions.devices_page.preview import preview_list

register = template.Library()


@register.inclusion_tag(
    "wagtail_user_sessions/partials/tag.html",
    name="device_list",
    takes_context=True,
)
def show_device_list(context: Context) -> dict[str, Any]:
    """Show the user's device list inside any page of the site.

    A visitor who isn't signed in sees nothing. A page with the tag must not be
    cached. In the template of a ``DevicesPageMixin`` it shows that page's own list.
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
    if not is_signed_in(request):
        return {"devices": None}
    url_for = default_page_config(request).url_for
    return {"devices": get_device_list(request, ListParams(), url_for=url_for)}


register.filter("breakable", break_between_groups)


@register.simple_tag
def htmx_url() -> str:
    """Return the URL of django-htmx's htmx; "" if that app isn't installed."""
    is_installed = apps.is_installed("django_htmx")
    return static("django_htmx/htmx-2.min.js") if is_installed else ""
