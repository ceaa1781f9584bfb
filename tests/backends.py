from django.contrib.auth.backends import ModelBackend


class Another(ModelBackend):
    pass
