"""Calling other modules, which a module does not do here."""

from tenter_net import host


def call_modules_hook(hook_name, data, caseid=None, hook_ui_name=None, module_name=None):
    """Is refused: the host calls modules."""
    raise host.unsupported("calling other modules", "their hooks are called when the change of this one is stored")
