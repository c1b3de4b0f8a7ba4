"""Loads modules that were written for this SDK."""

import importlib

from .module import Guest


def load(manifest):
    """The guest of the module that the manifest names."""
    return Guest(manifest, importlib.import_module(manifest.SOURCE))
