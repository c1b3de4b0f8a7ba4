"""Texts that stand for secrets.

A module gets such a text where its configuration names a secret, and puts it into a header or a query as it would the
secret. On the way out the text is replaced by a reference, and the host puts the secret in: the module never has it.
What stands before it, as in `Bearer ...`, stays; anything behind it cannot be said to the host and is an error, as is
a secret in a path or a body.
"""

import base64
from urllib.parse import unquote_plus

_names = {}


def handle(name):
    """The text that stands for the secret of that name."""
    text = f"tenter-secret.{name}.put-in-by-the-host"
    _names[text] = name
    return text


def find(text):
    """The secret in a text as what is before it and its name; none: (None, None)."""
    for known, name in _names.items():
        before, found, after = text.partition(known)
        if found and after.strip():
            raise ValueError(f"{after[:20]!r} follows the secret `{name}`; a secret must be the end of its header or value")
        if found:
            return before, name
    return None, None


def named_in(data):
    """The name of a secret somewhere in bytes, also where a library has coded them; else none."""
    for known, name in _names.items():
        if known.encode() in data:
            return name
        # Basic authentication codes user and password together. Of a text in base64 at least every third place fits.
        for skip in range(3):
            if base64.b64encode(known.encode()[skip : skip + 24]) in data:
                return name
    return None


def out_of_query(url):
    """The address without the values of its query that are secrets, and these as (name, before, secret)."""
    if not any(known in url for known in _names):
        return url, []
    address, _, query = url.partition("?")
    clear, secrets = [], []
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        before, secret = find(unquote_plus(value))
        if secret is None:
            clear.append(pair)
        else:
            secrets.append((unquote_plus(name), before, secret))
    return address + ("?" + "&".join(clear) if clear else ""), secrets
