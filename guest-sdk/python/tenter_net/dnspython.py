"""dnspython over the host's resolver: its questions go out through the host, its answers are dnspython's own.

The host tells the texts of records, not messages, so no time to live is known (300 seconds stand for it) and a name
without records of a kind looks like a name that is not there; a second question tells these two apart.
"""

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.reversename

from . import host

# The kinds that the host looks up.
_KINDS = {"A", "AAAA", "PTR", "TXT", "MX", "NS", "CNAME"}
# Stands for the servers that the host would ask by itself.
_SYSTEM = "127.0.0.53"
_TTL = 300


def install():
    """Takes the places in dnspython."""
    dns.rdata.load_all_types()
    dns.query.udp = dns.query.tcp = _query
    dns.query.udp_with_fallback = lambda *args, **kwargs: (_query(*args, **kwargs), False)
    for name in ("tls", "https", "quic"):
        setattr(dns.query, name, _refuse(name))
    dns.resolver.Resolver.read_resolv_conf = lambda self, _file: _as_the_host(self)
    dns.resolver.Resolver.resolve = _told(dns.resolver.Resolver.resolve)
    original = dns.resolver.Resolver._compute_timeout

    def compute_timeout(self, start, lifetime=None, errors=None):
        # Time stands still in a call; who has waited once has waited for as long as there was.
        if errors and any(isinstance(error[3], dns.exception.Timeout) for error in errors):
            raise dns.resolver.LifetimeTimeout(timeout=self.lifetime if lifetime is None else lifetime, errors=errors)
        return original(self, start, lifetime, errors)

    dns.resolver.Resolver._compute_timeout = compute_timeout


def _as_the_host(resolver):
    resolver.nameservers = [_SYSTEM]
    resolver.domain = dns.name.root
    resolver.search = []


def _told(resolve):
    def told(self, *args, **kwargs):
        try:
            return resolve(self, *args, **kwargs)
        except dns.resolver.NoNameservers as failed:
            # What was not granted is no failure of a server.
            for error in failed.kwargs.get("errors", []):
                if isinstance(error[3], PermissionError):
                    raise error[3] from None
            raise

    return told


def _refuse(name):
    def refuse(*_args, **_kwargs):
        raise host.unsupported(f"dns.query.{name}", "use dns.resolver, which asks through the host")

    return refuse


def _query(q, where, timeout=None, port=53, *_args, **_kwargs):
    question = q.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    if kind not in _KINDS or question.rdclass != dns.rdataclass.IN:
        raise host.unsupported(f"a look-up of {kind} records", f"the host looks up {', '.join(sorted(_KINDS))}")
    name = question.name.to_text(omit_final_dot=True)
    server = None if where == _SYSTEM else where if port == 53 else f"[{where}]:{port}" if ":" in where else f"{where}:{port}"
    response = dns.message.make_response(q, recursion_available=True)
    try:
        texts = host.lookup(name, kind, server)
    except host.NotFound:
        texts = []
        if not _is_there(name, kind, server):
            response.set_rcode(dns.rcode.NXDOMAIN)
    except TimeoutError:
        raise dns.exception.Timeout(timeout=timeout) from None
    if texts:
        rrset = response.find_rrset(response.answer, question.name, dns.rdataclass.IN, question.rdtype, create=True)
        for text in texts:
            rrset.add(dns.rdata.from_text(dns.rdataclass.IN, question.rdtype, _record(kind, text)), _TTL)
    return response


def _is_there(name, kind, server):
    if kind == "PTR":
        return False
    try:
        return bool(host.lookup(name, "AAAA" if kind == "A" else "A", server))
    except (host.NotFound, OSError):
        return False


def _record(kind, text):
    """The text of a record as zone files have it."""
    if kind == "TXT":
        escaped = "".join(f"\\{byte:03}" if byte < 32 or byte > 126 or byte in b'"\\' else chr(byte) for byte in text.encode())
        # A string of a record has 255 bytes at most; an escape is never cut.
        parts, part, length = [], "", 0
        at = 0
        while at < len(escaped):
            step = 4 if escaped[at] == "\\" else 1
            if length == 255:
                parts.append(part)
                part, length = "", 0
            part += escaped[at : at + step]
            length += 1
            at += step
        return " ".join(f'"{part}"' for part in [*parts, part])
    if kind in ("MX", "NS", "CNAME", "PTR") and not text.endswith("."):
        return text + "."
    return text
