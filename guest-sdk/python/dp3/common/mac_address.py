"""Hardware addresses."""

from tenter.values import MacAddress as MACAddress

__all__ = ["MACAddress"]
