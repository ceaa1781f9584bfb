from typing import ClassVar

from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page

from wagtail_user_sessions.wagtail_pages import DevicesPageMixin


class HomePage(Page):
    body = RichTextField(blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("body")]


class DevicesPage(DevicesPageMixin, Page):
    parent_page_types: ClassVar = ["home.HomePage"]
    subpage_types: ClassVar = []
