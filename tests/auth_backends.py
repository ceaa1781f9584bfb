from django.contrib.auth.backends import ModelBackend


class Another(ModelBackend):
    pass


class Everybody(ModelBackend):
    """Lets inactive users in, too."""

    def user_can_authenticate(self, user):
        return True


class Stricter(ModelBackend):
    """Lets nobody in who is called Bob."""

    def get_user(self, user_id):
        user = super().get_user(user_id)
        return None if user is not None and user.username == "bob" else user


class AsyncStricter(ModelBackend):
    async def aget_user(self, user_id):
        user = await super().aget_user(user_id)
        return None if user is not None and user.username == "bob" else user
