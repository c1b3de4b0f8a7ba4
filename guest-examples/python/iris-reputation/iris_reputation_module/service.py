"""The service that knows indicators."""

import socket

import requests
from packaging.version import Version

OLDEST = Version("2.1")


class Service:
    """Asks the service."""

    def __init__(self, url, key, log):
        self.url, self.key, self.log = url.rstrip("/"), key, log

    def ask(self, value):
        """What is known of an indicator; None: nothing."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = requests.get(f"{self.url}/indicators", params={"value": value}, headers=headers, timeout=10)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        if Version(answer.headers.get("X-Api-Version", "0")) < OLDEST:
            self.log.warning("the service is older than %s", OLDEST)
        return answer.json()


def name_of(address):
    """The name of an address, if it has one."""
    try:
        return socket.gethostbyaddr(address)[0]
    except socket.herror:
        return None
