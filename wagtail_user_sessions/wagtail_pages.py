"""A Wagtail page of one's own devices, to be placed anywhere in the page tree."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.rich_text import expand_db_html

from .devices_page import views
from .devices_page.page_config import DEFAULT_TEMPLATE, PageConfig
from .devices_page.preview import preview_list


class DevicesPageMixin(RoutablePageMixin, models.Model):
    """Serves the devices page at the URLs of a Wagtail page::

        class DevicesPage(DevicesPageMixin, Page):
            pass

    The page is shown with the template of the site's own model where there is
    one, else with that of the app's own URLs. Either has ``heading`` and
    ``introduction`` besides what ``get_context()`` gives.
    """

    introduction = RichTextField(_("introduction"), blank=True)

    content_panels: ClassVar[Sequence[Any]] = [
        *Page.content_panels,
        FieldPanel("introduction"),
    ]

    class Meta:
        abstract = True

    @path("")
    def device_list(self, request: HttpRequest) -> HttpResponse:
        return views.device_list(request, config=self.get_page_config(request))

    @path("revoke-others/")
    def device_revoke_others(self, request: HttpRequest) -> HttpResponse:
        return views.device_revoke_others(request, config=self.get_page_config(request))

    @path("<uuid:pk>/revoke/")
    def device_revoke(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return views.device_revoke(request, config=self.get_page_config(request), pk=pk)

    @path("<uuid:pk>/rename/")
    def device_rename(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return views.device_rename(request, config=self.get_page_config(request), pk=pk)

    def get_page_config(self, request: HttpRequest) -> PageConfig:
        page_url: str = self.get_url(request)

        def url_for(name: str, *args: object) -> str:
            if name == "device_list":
                return page_url
            # Without a slash at its end where WAGTAIL_APPEND_SLASH is off.
            return f"{page_url.rstrip('/')}/{self.reverse_subpage(name, args=args)}"

        own = self.get_template(request)
        own_names = [own] if isinstance(own, str) else own
        return PageConfig(
            url_for=url_for,
            # Where Wagtail's own private pages lead to.
            login_url=getattr(settings, "WAGTAIL_FRONTEND_LOGIN_URL", None) or "",
            # A template of the model's own is used where the site has one.
            template=(*own_names, DEFAULT_TEMPLATE),
            context={
                **self.get_context(request),
                "heading": self.title,
                # Wagtail's editor has cleaned it.
                "introduction": mark_safe(expand_db_html(self.introduction)),  # noqa: S308
            },
        )

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """The page with examples in the place of devices: nothing in it acts."""
        config = self.get_page_config(request)
        context = {**config.context, "devices": preview_list()}
        return TemplateResponse(request, config.template, context)

    def get_cached_paths(self) -> list[str]:
        # Each visitor sees another list, so no cache in front has a copy.
        return []
