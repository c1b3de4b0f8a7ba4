"""The log of activities: what a module does is in it by itself, so words of a module go to its own log."""

import logging


def track_activity(message, caseid=None, ctx_less=False, user_input=False, display_in_ui=True, **_more):
    """Writes a line."""
    logging.getLogger("iris.activity").info("%s", message)
