"""The functions of `socket` that look names up, over the host's resolver; all that opens sockets says why it cannot.

The module `socket` stays the one of the standard library, with its constants and errors; the functions below take the
place of those that would ask the system.
"""

import ipaddress
import socket

from . import host
from .stream import Socket, create_connection

_SERVICES = {"ftp": 21, "ssh": 22, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "ntp": 123, "imap": 143, "https": 443}
_SERVICES |= {"ldap": 389, "submission": 587, "ldaps": 636, "imaps": 993, "pop3s": 995}
_NONAME = getattr(socket, "EAI_NONAME", -2)
_AGAIN = getattr(socket, "EAI_AGAIN", -3)
_SERVICE = getattr(socket, "EAI_SERVICE", -8)
AF_INET = getattr(socket, "AF_INET", 2)
AF_INET6 = getattr(socket, "AF_INET6", 10)
_KINDS = {AF_INET: "A", AF_INET6: "AAAA"}
_STREAM, _DATAGRAM = int(getattr(socket, "SOCK_STREAM", 1)), int(getattr(socket, "SOCK_DGRAM", 2))
_PROTOCOLS = {_STREAM: 6, _DATAGRAM: 17}


def address_of(text):
    """The address that a text is, else none. A zone is dropped."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _text(name):
    return name.decode("ascii") if isinstance(name, (bytes, bytearray)) else name


def _looked_up(name, kind):
    """Records of a name; no such name is a `gaierror`, as in the system's resolver."""
    try:
        return host.lookup(name.rstrip("."), kind)
    except host.NotFound:
        return []
    except TimeoutError:
        raise socket.gaierror(_AGAIN, "Temporary failure in name resolution") from None


def _addresses(name, families):
    literal = address_of(name)
    if literal is not None:
        own = AF_INET if literal.version == 4 else AF_INET6
        if own not in families:
            raise socket.gaierror(getattr(socket, "EAI_ADDRFAMILY", -9), "Address family for hostname not supported")
        return [(own, str(literal))]
    if name in ("", "localhost"):
        found = [(AF_INET6, "::1"), (AF_INET, "127.0.0.1")]
        return [pair for pair in found if pair[0] in families]
    found = [(family, address) for family in families for address in _looked_up(name, _KINDS[family])]
    if not found:
        raise socket.gaierror(_NONAME, "Name or service not known")
    return found


def gethostbyname(hostname):
    """As in `socket`."""
    return _addresses(_text(hostname), [AF_INET])[0][1]


def gethostbyname_ex(hostname):
    """As in `socket`; aliases are not known."""
    name = _text(hostname)
    return name, [], [address for _, address in _addresses(name, [AF_INET])]


def gethostbyaddr(ip_address):
    """As in `socket`: the first name is the name, all others are aliases."""
    text = _text(ip_address)
    literal = address_of(text) or address_of(gethostbyname(text))
    try:
        names = [name.rstrip(".") for name in host.reverse(str(literal))]
    except host.NotFound:
        names = []
    except TimeoutError:
        raise socket.herror(2, "Host name lookup failure") from None
    if not names:
        raise socket.herror(1, "Unknown host")
    return names[0], names[1:], [str(literal)]


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """As in `socket`."""
    families = [AF_INET, AF_INET6] if family == 0 else [family] if family in _KINDS else []
    kinds = list(_PROTOCOLS.items()) if type == 0 else [(type, proto or _PROTOCOLS.get(type, 0))]
    number = _port(port)
    out = []
    for found, address in _addresses(_text(host) or "", families):
        for kind, protocol in kinds:
            if proto in (0, protocol):
                place = (address, number) if found == AF_INET else (address, number, 0, 0)
                out.append((_family(found), _kind(kind), protocol, "", place))
    return out


def _family(number):
    return socket.AddressFamily(number) if hasattr(socket, "AddressFamily") else number


def _kind(number):
    try:
        return socket.SocketKind(number)
    except (AttributeError, ValueError):
        return number


def _port(port):
    if port is None or isinstance(port, int):
        return port or 0
    text = _text(port)
    if text.isdigit():
        return int(text)
    if text in _SERVICES:
        return _SERVICES[text]
    raise socket.gaierror(_SERVICE, "Servname not supported for ai_socktype")


def getnameinfo(sockaddr, flags):
    """As in `socket`."""
    address, port = sockaddr[0], sockaddr[1]
    if not flags & getattr(socket, "NI_NUMERICHOST", 1):
        try:
            address = gethostbyaddr(address)[0]
        except socket.herror:
            if flags & getattr(socket, "NI_NAMEREQD", 8):
                raise socket.gaierror(_NONAME, "Name or service not known") from None
    return address, str(port)


def getservbyname(servicename, protocolname=None):
    """As in `socket`, for services that are well known."""
    if servicename not in _SERVICES:
        raise OSError("service/proto not found")
    return _SERVICES[servicename]


def getservbyport(port, protocolname=None):
    """As in `socket`, for services that are well known."""
    for name, number in _SERVICES.items():
        if number == port:
            return name
    raise OSError("port/proto not found")


def gethostname():
    """A name that is no machine's."""
    return "tenter"


def getfqdn(name=""):
    """As in `socket`: the name of an address or name that has a dot, else what was given."""
    name = _text(name).strip() or gethostname()
    if name in ("0.0.0.0", "::", gethostname()):
        return gethostname()
    try:
        found, aliases, _ = gethostbyaddr(name)
    except PermissionError:
        raise
    except OSError:
        return name
    return next((known for known in [found, *aliases] if "." in known), found)


def _refuse(name):
    def refuse(*_args, **_kwargs):
        raise host.unsupported(f"socket.{name}", "send HTTP requests or look names up instead")

    refuse.__name__ = name
    return refuse


def install():
    """Takes the places in `socket`."""
    ours = [gethostbyname, gethostbyname_ex, gethostbyaddr, getaddrinfo, getnameinfo, getservbyname, getservbyport]
    for function in [*ours, gethostname, getfqdn, create_connection]:
        setattr(socket, function.__name__, function)
    for name in ("socketpair", "fromfd", "create_server", "fromshare", "send_fds", "recv_fds", "if_nameindex"):
        setattr(socket, name, _refuse(name))
    socket.socket = socket.SocketType = Socket
    socket.has_dualstack_ipv6 = lambda: False
