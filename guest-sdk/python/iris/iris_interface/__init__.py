"""The interface that IRIS modules are written against, over this runtime's hooks.

Names, signatures and codes are those of the interface; what is behind them is `tenter_iris`.
"""

from . import IrisInterfaceStatus

__all__ = ["IrisInterfaceStatus", "IrisModuleInterface"]
