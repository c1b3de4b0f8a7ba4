"""Calls hooks natively, without a component: ``import tenter_testing`` first, then ``tenter`` and the module.

The contract's types are made from ``wit/`` (see `wit`), as componentize-py makes them for a component, and the host's
functions are answered by `Host`, whose fields a test sets and reads.

    import tenter_testing
    harness = tenter_testing.Harness("module.py", config={...}, site=SPECIFICATION)
    harness.on_new_attr("ip", "192.0.2.1", "hostname", "mail.example")   # -> tasks as dictionaries
"""

from .wit import install

host = install()

from .harness import Harness, HookFailed  # noqa: E402: needs what `install` made

__all__ = ["Harness", "HookFailed", "host"]
