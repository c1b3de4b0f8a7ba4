"""A socket that speaks HTTP and nothing else.

What is written to it is collected until a request is complete; the request goes out through the host, and its answer is
what can be read. So libraries keep their own heads for redirects, cookies, retries, streams and compressed answers, and
none of them has to know of this. Each stream is closed after one answer, as a server may do. A request through a proxy
(`CONNECT`, or a whole address as target) goes straight to its aim: what lies between this host and the world is its
operator's affair.
"""

import errno
import io
import socket
from http import HTTPStatus

from . import host

_BODILESS = {204, 304}


class Socket:
    """What `socket.socket` is here: a class that says why there are none."""

    def __init__(self, *_args, **_kwargs):
        raise host.unsupported(
            "opening a socket",
            "send HTTP requests (requests, urllib.request, http.client) or look names up (socket.getaddrinfo, dns.resolver)",
        )


class HttpStream(Socket):
    """A connection to a server of HTTP."""

    family = getattr(socket, "AF_INET", 2)
    type = getattr(socket, "SOCK_STREAM", 1)
    proto = 6

    def __init__(self, address, timeout=None):
        self._host, self._port = address[0], int(address[1])
        self._timeout = timeout if isinstance(timeout, (int, float)) else None
        self._out = bytearray()
        self._answer = None
        self._late = None
        self.is_tls = False

    def start_tls(self):
        """From here on requests are HTTPS."""
        self.is_tls = True
        return self

    # Writing.

    def sendall(self, data, _flags=0):
        self._out += data
        while (request := _complete(self._out)) is not None:
            method, target, headers, body, rest = request
            self._out = bytearray(rest)
            self._exchange(method, target, headers, body)

    def send(self, data, flags=0):
        self.sendall(data, flags)
        return len(data)

    def sendfile(self, file, offset=0, count=None):
        file.seek(offset)
        return self.send(file.read(count))

    def _exchange(self, method, target, headers, body):
        if method == "CONNECT":
            name, _, port = target.rpartition(":")
            self._host, self._port = name.strip("[]"), int(port)
            self._answer = io.BytesIO(b"HTTP/1.1 200 OK\r\n\r\n")
            return
        try:
            answer = host.send(method, self._url(target), headers, body, self._timeout)
        except TimeoutError as late:
            # Whoever waits for an answer waits in vain; who has written has done so.
            self._late = late
            return
        self._answer = io.BytesIO(_on_the_wire(method, answer))

    def _url(self, target):
        if "://" in target:
            return target
        scheme = "https" if self.is_tls else "http"
        name = f"[{self._host}]" if ":" in self._host else self._host
        port = "" if self._port == (443 if self.is_tls else 80) else f":{self._port}"
        return f"{scheme}://{name}{port}{target}"

    # Reading.

    def recv(self, size, _flags=0):
        if self._late is not None:
            raise self._late
        if self._answer is None:
            if self._out:
                raise host.unsupported(
                    f"talking to {self._host}:{self._port} in anything but HTTP", "a module has HTTP requests alone"
                )
            raise OSError(errno.ENOTCONN, "nothing was asked yet")
        return self._answer.read(size)

    def recv_into(self, buffer, size=0, flags=0):
        data = self.recv(size or len(buffer), flags)
        memoryview(buffer).cast("B")[: len(data)] = data
        return len(data)

    read = recv

    def makefile(self, mode="r", buffering=None, **_kwargs):
        if "w" in mode:
            return _Writer(self)
        return io.BufferedReader(_Reader(self))

    # What connections have beside.

    def settimeout(self, timeout):
        self._timeout = timeout

    def gettimeout(self):
        return self._timeout

    def setblocking(self, _blocks):
        pass

    def setsockopt(self, *_option):
        pass

    def getsockopt(self, *_option):
        return 0

    def getpeername(self):
        return (self._host, self._port)

    def getsockname(self):
        return ("127.0.0.1", 0)

    def getpeercert(self, binary_form=False):
        return b"" if binary_form else {}

    def selected_alpn_protocol(self):
        return None

    def version(self):
        return "TLSv1.3" if self.is_tls else None

    def cipher(self):
        return None

    def fileno(self):
        return -1

    def unwrap(self):
        return self

    def shutdown(self, _how):
        pass

    def close(self):
        pass

    def detach(self):
        return -1

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()


def create_connection(address, timeout=None, source_address=None, **_options):
    """As `socket.create_connection`: a stream to there. Nothing is sent yet."""
    return HttpStream(address, timeout)


class _Reader(io.RawIOBase):
    def __init__(self, stream):
        self._stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._stream.recv_into(buffer)


class _Writer(io.RawIOBase):
    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, data):
        return self._stream.send(bytes(data))


def _complete(data):
    """The first request in the data and the rest behind it; none when there is more to come."""
    head, end, rest = bytes(data).partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name.strip(), value.strip()))
    known = {name.lower(): value for name, value in headers}
    if "chunked" in known.get("transfer-encoding", "").lower():
        read = _chunks(rest)
    else:
        length = int(known.get("content-length") or 0)
        read = (rest[:length], rest[length:]) if len(rest) >= length else None
    return None if read is None else (words[0], words[1], headers, *read)


def _chunks(data):
    """A body of chunks and what is behind it; none when there is more to come."""
    body = bytearray()
    while True:
        line, end, rest = data.partition(b"\r\n")
        if not end:
            return None
        size = int(line.partition(b";")[0] or b"0", 16)
        if size == 0:
            _, end, behind = (b"\r\n" + rest).partition(b"\r\n\r\n")
            return (bytes(body), behind) if end else None
        if len(rest) < size + 2:
            return None
        body += rest[:size]
        data = rest[size + 2 :]


def _on_the_wire(method, answer):
    status, headers, body = answer
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    if status in _BODILESS or method == "HEAD":
        body = b""
    lines = [f"HTTP/1.1 {status} {phrase}"]
    for name, value in headers:
        lowered = name.lower()
        if lowered in ("transfer-encoding", "connection") or lowered == "content-length" and method != "HEAD":
            continue
        lines.append(f"{name}: {value}")
    if method != "HEAD":
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body
