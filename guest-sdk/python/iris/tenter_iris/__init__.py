"""Runs modules that were written for IRIS in this runtime.

`load` makes a guest of a package: it finds the class that `__iris_module_interface` names, its parameters become the
contract's, what `register_hooks` registers becomes subscriptions, and each hook makes an instance whose `hooks_handler`
gets objects with attributes; what it writes on them becomes patches. Modules may import `context` from here, which IRIS
does not have: the case, the user and the cause of the running call.
"""

__all__ = ["context", "load"]

#: What the running call is about: `case_id`, `case_name`, `user` (`id`, `login`, `name`), `trigger`. None between calls.
context = None


def load(manifest):
    """The guest of the package that the manifest names."""
    import tenter_net

    tenter_net.install()
    tenter_net.own(manifest.SOURCE)
    with tenter_net.importing():
        from .guest import Guest

        return Guest(manifest)
