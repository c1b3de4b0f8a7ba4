"""Capabilities that are derived."""

import types
import unittest

from bindings import install

install()
from tenter_net.asks import derived  # noqa: E402


def ask(values=(), **facts):
    return [" ".join(one).strip() for one in derived(types.SimpleNamespace(**facts), values)]


class Asks(unittest.TestCase):
    def test_requests_go_to_hosts_that_are_known(self):
        values = [{"url": "https://a.example/x?y", "deep": ["see http://b.example:8080/, or not"]}, 7, None]
        self.assertEqual(ask(values, USES=["http"]), ["http * http://b.example:8080", "http * https://a.example"])
        self.assertEqual(ask(USES=["http"], ADDRESSES=["https://c.example"]), ["http * https://c.example"])
        self.assertEqual(ask(["https://{host}/x"], USES=["http"]), ["http * https://*", "http * http://*"])
        self.assertEqual(ask(values), [])

    def test_what_the_author_asked_for_counts_instead(self):
        by_hand = [["http", "GET https://a.example/v1/*"], ["state", ""]]
        self.assertEqual(ask(["https://b.example"], USES=["http"], REQUESTS=by_hand), ["http GET https://a.example/v1/*", "state"])

    def test_servers_of_names(self):
        self.assertEqual(ask(USES=["resolver"]), ["resolver"])
        self.assertEqual(ask(USES=["resolver"], ADDRESSES=["dns://192.0.2.53"]), ["resolver 192.0.2.53"])
        self.assertEqual(ask(["192.0.2.1, 192.0.2.2", "x"], USES=["resolver", "resolver-server"]), ["resolver 192.0.2.1", "resolver 192.0.2.2"])
        self.assertEqual(ask(USES=["resolver", "resolver-server"]), ["resolver *"])


if __name__ == "__main__":
    unittest.main()
