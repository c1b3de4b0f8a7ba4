"""Secrets by name; their text stays with the host. Needs ``secret`` with the name as scope.

In requests they are used with :class:`tenter.http.Secret`.
"""

from componentize_py_types import Err
from wit_world.imports import secrets as _secrets

from .errors import Denied, Failed


def available() -> list:
    """Names that are granted and set."""
    return _secrets.available()


def hmac_sha256(name: str, message: bytes) -> bytes:
    """Signs a message with a secret."""
    try:
        return _secrets.hmac_sha256(name, message)
    except Err as error:
        case = error.value
        if isinstance(case, _secrets.SecretError_Denied):
            raise Denied(f"secrets: {name} is not granted") from None
        if isinstance(case, _secrets.SecretError_NotSet):
            raise Failed(f"secrets: {name} is not set; `tenter secret set MODULE {name}` sets it") from None
        raise Failed(f"secrets: {name}: {case.value}") from None
