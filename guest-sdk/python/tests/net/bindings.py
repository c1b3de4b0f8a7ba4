"""What the tests beside it share: the contract's types of `tenter_testing`, peers that answer, servers of names, the log.

They need no sandbox: `python -m unittest discover -s tests/net` in `guest-sdk/python`. Those of requests and dnspython
are skipped where these are not installed.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tenter_testing.wit import Err, install as install_types  # noqa: E402


@dataclass
class World:
    """What the host does, and what it was asked for."""

    answer: object = None
    records: object = None
    requests: list = None
    lookups: list = None
    lines: list = None

    def reset(self):
        self.answer = lambda request: (200, [], b"")
        self.records = {}
        self.requests, self.lookups, self.lines = [], [], []


world = World()
world.reset()


def install():
    """Puts the types in place with these peers, and `tenter_net` over them. Gives the imports."""
    install_types()
    imports = sys.modules["wit_world.imports"]
    http, resolver = imports.http, imports.resolver

    def send(request):
        world.requests.append(request)
        answer = world.answer(request)
        if not isinstance(answer, tuple):
            raise Err(answer)
        status, headers, body = answer
        return http.Response(status, [http.Header(*pair) for pair in headers], body)

    def lookup(name, kind, server):
        world.lookups.append((name, kind, server))
        found = world.records.get((name, kind), resolver.ResolveError_NotFound())
        if not isinstance(found, list):
            raise Err(found)
        return found

    http.send, resolver.lookup = send, lookup
    resolver.reverse = lambda address, server: lookup(address, "PTR", server)
    imports.log.write = lambda level, text: world.lines.append((level.name, text))
    import tenter_net

    tenter_net.install()
    return imports
