"""What is raised about data."""


class ValidationError(ValueError):
    """Data that does not fit the entity specification. ``errors()`` lists what is wrong, as pydantic's does."""

    def __init__(self, title, problems):
        self.title = title
        self._problems = list(problems)
        lines = "\n".join(f"{'.'.join(map(str, loc)) or '__root__'}\n  {text}" for loc, text in self._problems)
        super().__init__(f"{len(self._problems)} validation error{'s'[:len(self._problems) != 1]} for {title}\n{lines}")

    def errors(self):
        """What is wrong: a list of ``{"loc", "msg", "type"}``."""
        return [{"loc": tuple(loc), "msg": text, "type": "value_error"} for loc, text in self._problems]

    def error_count(self):
        """How many."""
        return len(self._problems)
