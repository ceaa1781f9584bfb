"""A site's own models, as the documentation shows them."""

from django.db import models
from wagtail.models import Page

from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.models import AbstractSession
from wagtail_user_sessions.wagtail_pages import DevicesPageMixin


class AccountSession(AbstractSession):
    account_id = models.IntegerField(null=True, db_index=True)

    class Meta(AbstractSession.Meta):
        pass

    @classmethod
    def get_session_store_class(cls):
        return SessionStore


class SessionStore(DBStore):
    @classmethod
    def get_model_class(cls):
        return AccountSession

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        row.account_id = data.get("account_id")
        return row

    def get_session_cookie_age(self):
        return 60 * 60 * 24


class DevicesPage(DevicesPageMixin, Page):
    pass
