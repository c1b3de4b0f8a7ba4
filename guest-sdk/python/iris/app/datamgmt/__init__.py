"""A part of the IRIS server; see `app`."""
