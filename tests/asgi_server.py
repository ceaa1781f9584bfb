"""uvicorn in a process of its own, and a client for its pages."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

from tests.claims import HOST, free_port

ROOT = Path(__file__).resolve().parent.parent


class Server:
    def __init__(self, folder, **settings):
        self.port = free_port()
        self.log = (folder / "uvicorn.log").open("w+")
        environment = {
            **os.environ,
            "ASGI_SITE": json.dumps({"DATABASES": own_database(), **settings}),
            "DJANGO_SETTINGS_MODULE": "tests.settings_asgi",
            "TMPDIR": str(folder),
        }
        command = ["-m", "uvicorn", "tests.asgi:application", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
        )

    def wait(self):
        deadline = time.monotonic() + 60
        while not self.is_up():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.1)

    def is_up(self):
        with socket.socket() as one:
            return one.connect_ex((HOST, self.port)) == 0

    def printed(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def own_database():
    """Return the settings of the running test's database."""
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
    return {"default": {name: connection.settings_dict[name] for name in names}}


class Browser:
    """A client that keeps the session cookie; it returns the text of a page."""

    def __init__(self, server):
        self.server = server
        self.cookie = None

    def get(self, path):
        return self._request("GET", path)

    def post(self, path, **fields):
        return self._request("POST", path, urlencode(fields))

    def _request(self, method, path, body=None):
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if self.cookie:
            headers["Cookie"] = f"sessionid={self.cookie}"
        http_connection = http.client.HTTPConnection(HOST, self.server.port, timeout=30)
        try:
            http_connection.request(method, path, body, headers)
            response = http_connection.getresponse()
            text = response.read().decode()
        finally:
            http_connection.close()
        cookies = SimpleCookie(response.getheader("Set-Cookie", ""))
        if "sessionid" in cookies:
            self.cookie = cookies["sessionid"].value
        assert response.status == 200, (response.status, self.server.printed())
        return text
