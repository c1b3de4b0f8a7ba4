"""DP³'s interface for secondary modules, so that modules written for it run here with no line changed.

It is a package of our own: names, arguments and behaviour follow what DP³ documents and does; nothing else of DP³ is here.
"""
