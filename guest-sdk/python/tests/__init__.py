"""Native tests of the SDK: ``python -m unittest discover -s tests -t .`` in ``guest-sdk/python``. No component, nothing to install."""
