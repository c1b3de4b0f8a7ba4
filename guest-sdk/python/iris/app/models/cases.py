"""As `app.models`."""

from . import *  # noqa: F403
