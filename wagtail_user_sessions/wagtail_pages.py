"""A Wagtail page with the devices page, for any place in the page tree."""

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

    The template is that of the site's own model if it exists, else that of the
    app's own URLs. Its context is that of ``get_context()``, with ``heading`` and
    ``introduction``.
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
            # page_url has no slash at its end if WAGTAIL_APPEND_SLASH is off.
            return f"{page_url.rstrip('/')}/{self.reverse_subpage(name, args=args)}"

        own = self.get_template(request)
        own_names = [own] if isinstance(own, str) else own
        return PageConfig(
            url_for=url_for,
            # The login page of Wagtail's own private pages.
            login_url=getattr(settings, "WAGTAIL_FRONTEND_LOGIN_URL", None) or "",
            template=(*own_names, DEFAULT_TEMPLATE),
            context={
                **self.get_context(request),
                "heading": self.title,
                # Safe: Wagtail's editor has sanitized it.
                "introduction": mark_safe(expand_db_html(self.introduction)),  # noqa: S308
            },
        )

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """Return the page with examples for devices; they have no actions."""
        config = self.get_page_config(request)
        context = {**config.context, "devices": preview_list()}
        return TemplateResponse(request, config.template, context)

    def get_cached_paths(self) -> list[str]:
        # Each user sees another list, so no frontend cache has a copy to purge.
        return []
