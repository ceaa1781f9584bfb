from django.contrib.auth.backends import ModelBackend


class Another(ModelBackend):
    pass


class Everybody(ModelBackend):
    """Admits inactive users, too."""

    def user_can_authenticate(self, user):
        return True


class Stricter(ModelBackend):
    """Rejects the user bob."""

    def get_user(self, user_id):
        user = super().get_user(user_id)
        return None if user is not None and user.username == "bob" else user


class AsyncStricter(ModelBackend):
    """Rejects the user bob, but only in the asynchronous method."""

    async def aget_user(self, user_id):
        user = await super().aget_user(user_id)
        return None if user is not None and user.username == "bob" else user
