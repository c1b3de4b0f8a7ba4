"""The capabilities that a module asks for when it does not say so itself, as modules of other platforms do not.

`scan.py` finds at build time what the source shows, and it comes with the manifest: `USES` (of `http`, `resolver`,
`resolver-server`, `case-write`, `evidence`), `ADDRESSES` that stand in the source (servers of names as `dns://…`), and
`REQUESTS`, what the author asked for by hand, which counts in place of what would be derived for that capability.
Addresses in the configuration are known here alone.
"""

import ipaddress
from urllib.parse import urlsplit

_ANYWHERE = ("* https://*", "* http://*")


def derived(manifest, values=()):
    """Pairs (capability, scope) for requests and look-ups. `values` are those of the configuration."""
    uses = set(getattr(manifest, "USES", ()))
    by_hand = [tuple(ask) for ask in getattr(manifest, "REQUESTS", ())]
    named = {capability for capability, _ in by_hand}
    found = list(by_hand)
    if "http" in uses and "http" not in named:
        addresses = [*getattr(manifest, "ADDRESSES", ()), *addresses_in(values)]
        patterns = sorted({pattern for pattern in map(pattern_of, addresses) if pattern})
        found.extend(("http", pattern) for pattern in patterns or _ANYWHERE)
    if "resolver" in uses and "resolver" not in named:
        found.extend(("resolver", server) for server in _servers(manifest, uses, values))
    return found


def _servers(manifest, uses, values):
    """Servers of names that are chosen in the source or the configuration; "": those of the host alone."""
    named = {address[6:] for address in getattr(manifest, "ADDRESSES", ()) if address.startswith("dns://")}
    if "resolver-server" in uses:
        named.update(word for text in _texts(values) for word in text.replace(",", " ").split() if _is_ip(word))
    if "resolver-server" in uses and not named:
        return ["*"]
    return sorted(named) or [""]


def _is_ip(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def addresses_in(values):
    """Addresses of services in values, however deep."""
    for text in _texts(values):
        words = text.replace('"', " ").replace("'", " ").replace(",", " ").split()
        yield from (word for word in words if word.startswith(("http://", "https://")))


def _texts(values):
    for value in values:
        if isinstance(value, dict):
            yield from _texts(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value


def pattern_of(address):
    """A pattern for all requests to the host of an address; none where it has no host yet."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = parts.hostname or "" if parts.scheme in ("http", "https") else ""
    if ":" in host:
        return f"* {parts.scheme}://[{host}]{port}"
    if not host or not all(letter.isascii() and (letter.isalnum() or letter in ".-_") for letter in host):
        return None
    return f"* {parts.scheme}://{host}{port}"
