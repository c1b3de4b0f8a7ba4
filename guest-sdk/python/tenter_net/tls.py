"""Stands in for the module `ssl`: libraries set a context up, and the host does what it stands for.

Whatever a context says, the host checks certificates against the authorities that browsers trust and those of
`egress.ca_file` in `tenter.yml`. A module that turns checking off is told so in its log, once.
"""

import sys
from enum import Enum, IntEnum, IntFlag

from . import host

OPENSSL_VERSION = "OpenSSL 3.0.0 of the host"
OPENSSL_VERSION_INFO = (3, 0, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0x30000000
HAS_SNI = HAS_ALPN = HAS_ECDH = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = HAS_PSK = False
HAS_NEVER_CHECK_COMMON_NAME = True
CHANNEL_BINDING_TYPES = []


class VerifyMode(IntEnum):
    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


class TLSVersion(IntEnum):
    MINIMUM_SUPPORTED = -2
    SSLv3 = 768
    TLSv1 = 769
    TLSv1_1 = 770
    TLSv1_2 = 771
    TLSv1_3 = 772
    MAXIMUM_SUPPORTED = -1


class VerifyFlags(IntFlag):
    VERIFY_DEFAULT = 0
    VERIFY_CRL_CHECK_LEAF = 0x4
    VERIFY_CRL_CHECK_CHAIN = 0xC
    VERIFY_X509_STRICT = 0x20
    VERIFY_X509_TRUSTED_FIRST = 0x8000
    VERIFY_X509_PARTIAL_CHAIN = 0x80000


class Options(IntFlag):
    OP_ALL = 0x80000050
    OP_NO_TICKET = 0x4000
    OP_NO_COMPRESSION = 0x20000
    OP_CIPHER_SERVER_PREFERENCE = 0x400000
    OP_SINGLE_DH_USE = 0
    OP_SINGLE_ECDH_USE = 0
    OP_NO_SSLv2 = 0
    OP_NO_SSLv3 = 0x2000000
    OP_NO_TLSv1 = 0x4000000
    OP_NO_TLSv1_1 = 0x10000000
    OP_NO_TLSv1_2 = 0x8000000
    OP_NO_TLSv1_3 = 0x20000000
    OP_NO_RENEGOTIATION = 0x40000000
    OP_IGNORE_UNEXPECTED_EOF = 0x80
    OP_LEGACY_SERVER_CONNECT = 0x4
    OP_ENABLE_MIDDLEBOX_COMPAT = 0x100000


class SSLErrorNumber(IntEnum):
    SSL_ERROR_SSL = 1
    SSL_ERROR_WANT_READ = 2
    SSL_ERROR_WANT_WRITE = 3
    SSL_ERROR_SYSCALL = 5
    SSL_ERROR_ZERO_RETURN = 6
    SSL_ERROR_EOF = 8


for _names in (VerifyMode, VerifyFlags, Options, SSLErrorNumber):
    globals().update(_names.__members__)
PROTOCOL_TLS = PROTOCOL_SSLv23 = 2
PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2 = 3, 4, 5
PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 16, 17
_PROTOCOL_NAMES = {2: "PROTOCOL_TLS", 16: "PROTOCOL_TLS_CLIENT", 17: "PROTOCOL_TLS_SERVER"}


class Purpose(Enum):
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


class SSLError(OSError):
    """As in `ssl`."""

    library = reason = None


class SSLZeroReturnError(SSLError):
    """As in `ssl`."""


class SSLWantReadError(SSLError):
    """As in `ssl`."""


class SSLWantWriteError(SSLError):
    """As in `ssl`."""


class SSLSyscallError(SSLError):
    """As in `ssl`."""


class SSLEOFError(SSLError):
    """As in `ssl`."""


class SSLCertVerificationError(SSLError, ValueError):
    """As in `ssl`; the host's own checks end as errors of the connection instead."""


CertificateError = SSLCertVerificationError


class SSLSession:
    """As in `ssl`: none is ever made."""


class SSLObject:
    """As in `ssl`: none is ever made."""


class SSLSocket:
    """As in `ssl`: a stream of HTTP is told to be HTTPS instead of being wrapped."""


class MemoryBIO:
    """As in `ssl`: TLS in memory is not for modules."""

    def __init__(self):
        raise host.unsupported("TLS of one's own", "send HTTPS requests; the host encrypts them")


class SSLContext:
    """Takes every setting, and acts on none."""

    sslsocket_class = SSLSocket
    sslobject_class = SSLObject

    def __init__(self, protocol=PROTOCOL_TLS_CLIENT, *_args, **_kwargs):
        self.protocol = protocol
        self.check_hostname = protocol == PROTOCOL_TLS_CLIENT
        self._verify_mode = VerifyMode.CERT_REQUIRED
        self.verify_flags = VerifyFlags.VERIFY_DEFAULT
        self.options = Options.OP_ALL
        self.minimum_version = TLSVersion.TLSv1_2
        self.maximum_version = TLSVersion.MAXIMUM_SUPPORTED
        self.hostname_checks_common_name = False
        self.post_handshake_auth = False
        self.keylog_filename = None
        self.sni_callback = None

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._verify_mode = VerifyMode(mode)
        if self._verify_mode != VerifyMode.CERT_REQUIRED:
            say_that_certificates_are_checked()

    def load_cert_chain(self, *_args, **_kwargs):
        raise host.unsupported(
            "a certificate of the client", "ask the operator for a proxy that has it (`egress.proxy` in tenter.yml)"
        )

    def _pass(self, *_args, **_kwargs):
        pass

    load_verify_locations = load_default_certs = set_default_verify_paths = set_ciphers = _pass
    set_alpn_protocols = set_npn_protocols = set_ecdh_curve = load_dh_params = set_servername_callback = _pass

    def get_ciphers(self):
        return []

    def get_ca_certs(self, binary_form=False):
        return []

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def wrap_socket(self, sock, server_side=False, *_args, **_kwargs):
        if server_side or not hasattr(sock, "start_tls"):
            raise host.unsupported("TLS over a socket of one's own", "send HTTPS requests; the host encrypts them")
        return sock.start_tls()

    def wrap_bio(self, *_args, **_kwargs):
        return MemoryBIO()


_told = False


def say_that_certificates_are_checked():
    """Tells a module that certificates are checked although it did not want that."""
    global _told
    if not _told:
        _told = True
        where = "list the authority in `egress.ca_file` of tenter.yml where a service has a certificate of its own"
        host.log("warning", host.at(f"the host checks certificates whatever a module asks for; {where}"))


def create_default_context(purpose=Purpose.SERVER_AUTH, *, cafile=None, capath=None, cadata=None):
    """As in `ssl`."""
    return SSLContext(PROTOCOL_TLS_CLIENT)


def _create_unverified_context(*_args, **_kwargs):
    say_that_certificates_are_checked()
    return SSLContext(PROTOCOL_TLS_CLIENT)


_create_stdlib_context = create_default_context
_create_default_https_context = create_default_context


def get_default_verify_paths():
    """As in `ssl`: there are none."""
    return (None, None, "", "", "", "")


def get_protocol_name(protocol):
    """As in `ssl`."""
    return _PROTOCOL_NAMES.get(protocol, "<unknown>")


def match_hostname(_cert, _hostname):
    """Nothing is left to check: the host has."""


def install():
    """Becomes the module `ssl`."""
    sys.modules["ssl"] = sys.modules[__name__]
