"""The risk of an address follows from the domains that resolve to it."""

import tenter

TITLE = "Risk from linked domains"


@tenter.correlate("ip", ["indicator", "domains.risk"], ["risk", "risk_from"])
@tenter.asks("write-entities", "ip.risk")
@tenter.asks("write-entities", "ip.risk_from")
def address(view):
    """Each reason counts by its own; together they are the chance that not all of them are harmless."""
    reasons = {"indicator": 0.8} if "indicator" in view else {}
    for domain in view.follow("domains"):
        if "risk" in domain:
            reasons[f"{domain.etype}/{domain.eid}"] = domain["risk"]
    if not reasons:
        view.remove("risk")
        view.remove("risk_from")
        return
    harmless = 1.0
    for risk in reasons.values():
        harmless *= 1 - risk
    view["risk"] = round(1 - harmless, 3)
    view["risk_from"] = list(reasons)
