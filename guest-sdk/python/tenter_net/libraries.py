"""Fits libraries that a module may bring: dnspython, urllib3 and requests. Those that are not there are left alone.

They are imported here, at build time, since a built module cannot import anything later; so are what they would import
only when needed.
"""

import importlib

from . import host
from .stream import HttpStream, create_connection

# What libraries and the standard library import in functions, when they need it for the first time.
_LATER = [
    "encodings.idna", "encodings.punycode", "encodings.latin_1", "encodings.utf_8_sig", "encodings.utf_16", "stringprep",
    "idna", "idna.codec", "idna.core", "idna.idnadata", "idna.uts46data", "netrc", "email.parser", "email.message",
    "http.client", "http.cookiejar", "http.cookies", "urllib.request", "urllib.error", "urllib.parse", "mimetypes",
    "json", "html.entities", "unicodedata", "tempfile", "charset_normalizer.md", "charset_normalizer.cd", "jinja2.debug",
    "jinja2.loaders", "jinja2.ext", "jinja2.sandbox", "markupsafe._native", "packaging.version", "packaging.specifiers",
    "_strptime", "calendar", "uuid", "hmac", "zlib", "gzip",
]  # fmt: skip


def install():
    """Fits what is there."""
    for name in _LATER:
        _imported(name)
    if _imported("urllib3.connection"):
        _fit_urllib3()
    if _imported("requests.adapters"):
        _fit_requests()
    if _imported("dns.resolver"):
        from . import dnspython

        dnspython.install()


def preload(names):
    """Imports what functions of a module and its packages import: a component has no files to import from later."""
    for name in names:
        _imported(name)


def _imported(name):
    try:
        return importlib.import_module(name)
    except Exception:  # Members have names too, and what is for other machines fails in its own way.
        return None


def _fit_urllib3():
    import urllib3
    import urllib3.connection
    import urllib3.util.connection

    def connect(self):
        """A stream straight to the aim: a proxy is the host's affair."""
        aim = (self._tunnel_host or self.host, self._tunnel_port or self.port)
        self.sock = HttpStream(aim, self.timeout).start_tls()
        self.is_verified = True
        if self.cert_reqs in ("CERT_NONE", 0):
            from .tls import say_that_certificates_are_checked

            say_that_certificates_are_checked()

    urllib3.connection.HTTPSConnection.connect = connect
    urllib3.util.connection.create_connection = create_connection
    urllib3.disable_warnings()


def _fit_requests():
    from requests.adapters import HTTPAdapter

    def cert_verify(self, conn, url, verify, cert):
        """There is no file of certificates to look at; the host has its own."""
        if cert:
            raise host.unsupported(
                "a certificate of the client", "ask the operator for a proxy that has it (`egress.proxy` in tenter.yml)"
            )
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"

    HTTPAdapter.cert_verify = cert_verify
