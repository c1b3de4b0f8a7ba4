"""Lets usual Python code for networks work over what the host grants: HTTP requests and look-ups of names.

A module in the sandbox has no sockets. What it may have is the host's `http` and `resolver`, which it asks for and an
operator grants. This package puts itself below the libraries instead of imitating them:

* `stream` is a socket that understands HTTP and nothing else. `http.client`, `urllib.request`, `urllib3`, `requests`
  and what stands on them talk to it as to a server; each request that is complete goes out through the host.
* `tls` stands in for the module `ssl`, which the sandbox's Python lacks: the host does the encryption and always
  checks certificates.
* `names` answers `socket.gethostbyname`, `getaddrinfo` and their like, and refuses sockets with a message that names
  the line.
* `libraries` makes dnspython, urllib3 and requests, where the module brings them, use the three above.
* `secret` has texts that stand for secrets of the operator; the host puts the secrets in.

`install()` has to run before the module is imported. Beside it nothing here is for authors.
"""

from . import libraries, names, secret, tls
from .host import importing
from .libraries import preload
from .transient import is_transient, refusal
from .where import own

__all__ = ["importing", "install", "is_transient", "own", "preload", "refusal", "secret"]

_done = False


def install():
    """Puts everything in place. Further calls do nothing."""
    global _done
    if _done:
        return
    _done = True
    tls.install()
    names.install()
    libraries.install()
