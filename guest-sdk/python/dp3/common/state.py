"""Flags that a module shares with the platform."""


class SharedFlag:
    """A flag. DP³ shares it between the threads of a worker; here an instance has one thread."""

    def __init__(self, flag: bool = False, banner: str = ""):
        self._flag = bool(flag)
        self.banner = banner

    def set(self, flag: bool = True):
        """Sets the flag."""
        self._flag = bool(flag)

    def unset(self):
        """Takes it back."""
        self._flag = False

    def isset(self) -> bool:
        """Whether it is set."""
        return self._flag

    def __bool__(self):
        return self._flag
