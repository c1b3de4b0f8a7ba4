"""What modules import of the IRIS server itself: as much of it as has a meaning without that server.

There is no database here. Objects that a hook gets are written on as in IRIS; what would read or write others says so,
with the line of the module. An import of a part that is not here fails with the parts that are.
"""

import importlib.abc
import logging
import sys

from tenter_net import host

_HERE = (
    "app.datamgmt.manage.manage_attribute_db, app.datamgmt.iris_engine.modules_db, app.models, app.schema.marshables, "
    "app.iris_engine.utils.tracker, app.iris_engine.module_handler.module_handler"
)


class _Absent(importlib.abc.MetaPathFinder):
    """Comes last: nobody else has found the part."""

    def find_spec(self, name, path=None, target=None):
        if name.startswith("app."):
            text = host.at(f"{name} is a part of the IRIS server that a module does not have in a sandbox; there are {_HERE}")
            raise ModuleNotFoundError(text, name=name)
        return None


sys.meta_path.append(_Absent())


class _Session:
    """Stands for the session of the database: what was written on objects is stored when the hook ends well."""

    def commit(self):
        """Nothing to do."""

    flush = rollback = close = commit

    def add(self, _object):
        """Nothing to do: an object of the hook is known already."""

    def merge(self, given):
        return given

    def refresh(self, _object):
        """Nothing to do."""

    def __getattr__(self, name):
        raise host.unsupported(f"db.session.{name}", "a module writes on the objects that its hook gets")


class _Database:
    session = _Session()


class _Application:
    logger = logging.getLogger("iris.app")
    config = {}


db = _Database()
app = _Application()
logger = app.logger
