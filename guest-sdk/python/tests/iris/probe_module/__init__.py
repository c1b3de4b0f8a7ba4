"""A package whose registrations and handler a test sets."""

__iris_module_interface = "ProbeInterface"

register = None
handle = None
