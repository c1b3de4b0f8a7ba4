"""Configuration as modules see it."""


class MissingConfigError(Exception):
    """A mandatory key is missing."""

    def __init__(self, key=""):
        super().__init__(f"Mandatory configuration element is missing: {key}")
        self.key = key


class HierarchicalDict(dict):
    """A dictionary of dictionaries that is read by dotted paths too: ``config.get("a.b.c", 5)``, ``config["a.b"]``."""

    def __getitem__(self, path):
        try:
            return self._walk(path)
        except KeyError:
            raise MissingConfigError(str(path).rsplit(".", 1)[-1]) from None

    def _walk(self, path):
        if dict.__contains__(self, path) or not isinstance(path, str):
            return dict.__getitem__(self, path)
        at = self
        for key in path.split("."):
            if not isinstance(at, dict):
                raise KeyError(path)
            at = dict.__getitem__(at, key)
        return at

    def get(self, path, default=None):
        """The value at a path, or the default."""
        try:
            return self._walk(path)
        except KeyError:
            return default

    def __contains__(self, path):
        return self.get(path, _MISSING) is not _MISSING

    def update(self, other=(), **more):
        """Merges dictionaries within dictionaries; anything else is replaced."""
        for source in (dict(other), more):
            for key, value in source.items():
                mine = dict.get(self, key)
                if isinstance(mine, dict) and isinstance(value, dict):
                    merged = HierarchicalDict(mine)
                    merged.update(value)
                    self[key] = merged
                else:
                    self[key] = value


_MISSING = object()


class PlatformConfig:
    """What the platform tells a module: names, the configuration, the entity specification, and which process it is."""

    def __init__(self, app_name, config_base_path, config, model_spec, process_index=0, num_processes=1):
        self.app_name = app_name
        self.config_base_path = config_base_path
        self.config = config
        self.model_spec = model_spec
        self.process_index = process_index
        self.num_processes = num_processes

    def __repr__(self):
        return f"PlatformConfig(app_name={self.app_name!r}, process_index={self.process_index})"


def __getattr__(name):
    # Imported late: `ModelSpec` builds on what is above.
    if name == "ModelSpec":
        from dp3.common.model_spec import ModelSpec

        return ModelSpec
    raise AttributeError(name)
