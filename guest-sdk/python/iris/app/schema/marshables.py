"""Schemas that print objects as JSON: `IocSchema().dump(ioc)`. What the host tells of an object is printed already."""


class _Schema:
    def __init__(self, *_args, many=False, **_kwargs):
        self._many = many

    def dump(self, given, many=None):
        """The fields of an object, or of each of several."""
        if self._many if many is None else many:
            return [self._one(one) for one in given]
        return self._one(given)

    @staticmethod
    def _one(given):
        return given.to_dict() if hasattr(given, "to_dict") else given


def __getattr__(name):
    if name.endswith("Schema"):
        return type(name, (_Schema,), {"__doc__": "Prints objects."})
    raise AttributeError(name)
