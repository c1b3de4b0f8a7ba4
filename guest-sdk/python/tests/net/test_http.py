"""Requests by the standard library and by requests."""

import gzip
import json
import unittest

from bindings import install, world

imports = install()
# What follows must find the stand-ins in place.
import http.client  # noqa: E402
import urllib.error  # noqa: E402
import urllib.request  # noqa: E402

import tenter_net  # noqa: E402

try:
    import requests
except ImportError:
    requests = None


def clear(parameters):
    return {p.name.lower(): p.value.value for p in parameters}


class Urllib(unittest.TestCase):
    def setUp(self):
        world.reset()

    def test_a_request_goes_out_through_the_host(self):
        world.answer = lambda request: (200, [("Content-Type", "text/plain"), ("X-A", "b")], b"hello")
        with urllib.request.urlopen("https://api.example.org/v1?q=1", timeout=5) as answer:
            self.assertEqual((answer.status, answer.read(), answer.headers["x-a"]), (200, b"hello", "b"))
        sent = world.requests[0]
        self.assertEqual((sent.method, sent.url, sent.body), ("GET", "https://api.example.org/v1?q=1", None))
        self.assertEqual(sent.timeout_ms, 5000)
        self.assertNotIn("host", clear(sent.headers))

    def test_a_body_goes_along_and_statuses_are_errors(self):
        world.answer = lambda request: (418, [("content-type", "text/plain")], b"no coffee")
        request = urllib.request.Request("http://api.example.org:8080/x", data=b"a=1", headers={"X-Key": "k"}, method="PUT")
        with self.assertRaises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(request)
        self.assertEqual((failed.exception.code, failed.exception.read()), (418, b"no coffee"))
        sent = world.requests[0]
        self.assertEqual((sent.method, sent.url, sent.body), ("PUT", "http://api.example.org:8080/x", b"a=1"))
        self.assertEqual(clear(sent.headers)["x-key"], "k")

    def test_redirects_are_followed_by_the_library(self):
        pages = {"https://a.example/1": (302, [("Location", "/2")], b""), "https://a.example/2": (200, [], b"there")}
        world.answer = lambda request: pages[request.url]
        self.assertEqual(urllib.request.urlopen("https://a.example/1").read(), b"there")

    def test_what_is_denied_names_the_line_and_the_grant(self):
        text = 'no grant of module m lets GET https://a.example/ through; tenter grant m http "GET https://a.example/" gives one'
        world.answer = lambda request: imports.http.HttpError_Denied(text)
        with self.assertRaises(urllib.error.URLError) as failed:
            urllib.request.urlopen("https://a.example/")
        self.assertRegex(str(failed.exception), r"test_http\.py:\d+: GET https://a\.example/: no grant.*tenter grant m http")
        self.assertIsInstance(failed.exception.reason, PermissionError)
        self.assertEqual(world.lines[0][0], "WARNING")

    def test_what_does_not_answer_is_an_error_of_the_url(self):
        world.answer = lambda request: imports.http.HttpError_Unreachable("nobody listens")
        with self.assertRaisesRegex(urllib.error.URLError, "nobody listens"):
            urllib.request.urlopen("https://a.example/")
        world.answer = lambda request: imports.http.HttpError_TimedOut()
        with self.assertRaises(TimeoutError):
            urllib.request.urlopen("https://a.example/")

    def test_connections_by_hand(self):
        world.answer = lambda request: (200, [("Transfer-Encoding", "chunked")], request.body or b"head")
        connection = http.client.HTTPSConnection("api.example.org", timeout=3)
        connection.request("POST", "/chunks", body=iter([b"ab", b"cd"]), headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
        self.assertEqual(connection.getresponse().read(), b"abcd")
        connection.request("HEAD", "/")
        self.assertEqual(connection.getresponse().read(), b"")

    def test_a_module_that_asks_while_it_is_built_is_told(self):
        with tenter_net.importing(), self.assertRaisesRegex(urllib.error.URLError, "GET https://a.example/ while the module is imported"):
            urllib.request.urlopen("https://a.example/")
        self.assertEqual(world.requests, [])

    def test_other_protocols_are_refused(self):
        import socket

        with self.assertRaisesRegex(OSError, r"test_http\.py:\d+: opening a socket does not work in a sandbox; send HTTP"):
            socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        stream = socket.create_connection(("whois.example.org", 43))
        stream.sendall(b"example.org\r\n")
        with self.assertRaisesRegex(OSError, "talking to whois.example.org:43 in anything but HTTP"):
            stream.recv(10)


class Secrets(unittest.TestCase):
    def setUp(self):
        world.reset()
        self.key = tenter_net.secret.handle("api_key")

    def test_the_host_puts_secrets_into_headers_and_queries(self):
        request = urllib.request.Request(f"https://a.example/x?a=1&key={self.key}", headers={"Authorization": f"Bearer {self.key}"})
        urllib.request.urlopen(request)
        sent = world.requests[0]
        self.assertEqual(sent.url, "https://a.example/x?a=1")
        self.assertEqual([(p.name, p.value.value.prefix, p.value.value.name) for p in sent.query], [("key", "", "api_key")])
        header = next(p for p in sent.headers if p.name == "Authorization")
        self.assertEqual((header.value.value.prefix, header.value.value.name), ("Bearer ", "api_key"))

    def test_secrets_elsewhere_are_refused_with_what_to_do(self):
        for request in (
            urllib.request.Request("https://a.example/x", data=f"key={self.key}".encode()),
            urllib.request.Request(f"https://a.example/{self.key}/x"),
            urllib.request.Request("https://a.example/", headers={"A": f"{self.key} and more"}),
        ):
            with self.assertRaisesRegex(urllib.error.URLError, "api_key"):
                urllib.request.urlopen(request)
        self.assertEqual(world.requests, [])


@unittest.skipIf(requests is None, "requests is not installed")
class Requests(unittest.TestCase):
    def setUp(self):
        world.reset()

    def test_a_session(self):
        def answer(request):
            if request.url.endswith("/login"):
                return 200, [("Set-Cookie", "sid=7; Path=/"), ("Set-Cookie", "b=8; Path=/")], b""
            told = {"cookie": clear(request.headers).get("cookie"), "body": (request.body or b"").decode()}
            packed = gzip.compress(json.dumps(told).encode())
            return 200, [("Content-Type", "application/json"), ("Content-Encoding", "gzip")], packed

        world.answer = answer
        with requests.Session() as session:
            session.headers["User-Agent"] = "mine"
            session.get("https://a.example/login")
            answer = session.post("https://a.example/api", params={"q": "ä b"}, json={"x": [1]}, timeout=(3, 7), verify=False)
        self.assertTrue(answer.ok)
        self.assertEqual(answer.json(), {"cookie": "sid=7; b=8", "body": '{"x": [1]}'})
        sent = world.requests[1]
        self.assertEqual((sent.method, sent.url), ("POST", "https://a.example/api?q=%C3%A4+b"))
        self.assertEqual((clear(sent.headers)["user-agent"], clear(sent.headers)["content-type"]), ("mine", "application/json"))

    def test_forms_files_and_basic_authentication(self):
        requests.post("https://a.example/", data={"a": "1"}, auth=("me", "pw"))
        requests.post("https://a.example/", files={"file": ("a.txt", b"text")}, data={"b": "2"})
        form, files = world.requests
        self.assertEqual((form.body, clear(form.headers)["authorization"]), (b"a=1", "Basic bWU6cHc="))
        self.assertIn(b'filename="a.txt"\r\n\r\ntext\r\n', files.body)
        self.assertTrue(clear(files.headers)["content-type"].startswith("multipart/form-data; boundary="))

    def test_errors_are_those_of_requests(self):
        world.answer = lambda request: (503, [], b"busy")
        answer = requests.get("https://a.example/")
        self.assertEqual((answer.status_code, answer.reason, answer.text), (503, "Service Unavailable", "busy"))
        with self.assertRaises(requests.HTTPError):
            answer.raise_for_status()
        world.answer = lambda request: imports.http.HttpError_TimedOut()
        with self.assertRaises(requests.exceptions.ReadTimeout):
            requests.get("https://a.example/", timeout=1)
        world.answer = lambda request: imports.http.HttpError_Unreachable("nobody listens")
        with self.assertRaisesRegex(requests.ConnectionError, "nobody listens"):
            requests.get("https://a.example/")
        world.answer = lambda request: imports.http.HttpError_Denied("tenter grant m http ...")
        with self.assertRaisesRegex(requests.ConnectionError, r"test_http\.py:\d+: GET https://a\.example/: tenter grant"):
            requests.get("https://a.example/")

    def test_a_proxy_is_the_affair_of_the_host(self):
        for url in ("http://a.example/x", "https://a.example/x"):
            requests.get(url, proxies={"http": "http://proxy.example:3128", "https": "http://proxy.example:3128"})
            self.assertEqual(world.requests[-1].url, url)

    def test_a_secret_hidden_by_basic_authentication_is_found(self):
        key = tenter_net.secret.handle("password")
        for user in ("a", "ab", "abc"):
            with self.assertRaisesRegex(requests.ConnectionError, "`password`.*clear = ..password"):
                requests.get("https://a.example/", auth=(user, key))

    def test_streams_and_redirects(self):
        pages = {"https://a.example/1": (301, [("Location", "https://b.example/2")], b""), "https://b.example/2": (200, [], b"l1\nl2")}
        world.answer = lambda request: pages[request.url]
        answer = requests.get("https://a.example/1", stream=True)
        self.assertEqual((list(answer.iter_lines()), answer.url, len(answer.history)), ([b"l1", b"l2"], "https://b.example/2", 1))


if __name__ == "__main__":
    unittest.main()
