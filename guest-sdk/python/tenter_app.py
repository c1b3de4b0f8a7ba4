"""The app that componentize-py wraps: what it is made of stands in the generated `tenter_manifest`.

`ADAPTER` names the module with `load(manifest)`, which gives the guest that `tenter.app` drives.
"""

import importlib

import tenter_manifest
from tenter import app
from tenter.app import Cases, Ingest, Module, Schedule, Snapshot, Update

__all__ = ["Cases", "Ingest", "Module", "Schedule", "Snapshot", "Update"]

app.serve(importlib.import_module(tenter_manifest.ADAPTER).load(tenter_manifest))
