"""Modules and hooks, as far as a module may know of them."""

from tenter_iris import registration, settings


def get_module_config_from_hname(module_name):
    """The configuration of the module that asks, whatever name it gives."""
    return [{"param_name": name, "value": value} for name, value in settings.values().items()]


def iris_hooks_list():
    """Names of all hooks."""
    return registration.hook_names()
