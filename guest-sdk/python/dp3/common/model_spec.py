"""The entity specification as DP³'s modules read it."""

from dp3.common.attrspec import attr_spec
from tenter.schema import EntityType, Specification
from tenter.values import Struct


class EntitySpec:
    """One entity type."""

    def __init__(self, entity: EntityType):
        raw = entity.raw
        self.id = entity.id
        self.id_data_type = entity.id_type
        self.name = raw.get("name", entity.id)
        self.description = raw.get("description", "")
        self.snapshot = bool(raw.get("snapshot"))
        self.lifetime = Struct(raw.get("lifetime") or {"type": "immortal"})
        self._entity = entity

    def validate_eid(self, eid):
        """The typed id of text, or of what is typed already."""
        return self._entity.eid(eid if self.id_data_type == "string" else str(eid))


class ModelSpec:
    """All of it: ``entities[e]``, ``attributes[(e, a)]``, ``entity_attributes[e][a]``, ``relations[(e, a)]``."""

    def __init__(self, specification: Specification):
        self.specification = specification
        self.entities = {name: EntitySpec(one) for name, one in specification.entities.items()}
        self._attributes = None

    def _read(self):
        if self._attributes is None:
            self._attributes = {
                name: {attr: attr_spec(one) for attr, one in entity.attributes.items()}
                for name, entity in self.specification.entities.items()
            }
        return self._attributes

    @property
    def entity_attributes(self) -> dict:
        """Attributes by entity type and name."""
        return self._read()

    @property
    def attributes(self) -> dict:
        """Attributes by (entity type, name)."""
        return {(entity, attr): spec for entity, attribs in self._read().items() for attr, spec in attribs.items()}

    @property
    def relations(self) -> dict:
        """Attributes that lead to other entities, by (entity type, name); mirrors are not among them."""
        return {key: spec for key, spec in self.attributes.items() if spec.is_relation and not spec.is_mirror}

    def entity(self, entity: str) -> EntitySpec:
        """One entity type."""
        return self.entities[entity]

    def attribs(self, entity: str) -> dict:
        """Attributes of an entity type by name."""
        return self._read()[entity]

    def attr(self, entity: str, attr: str):
        """One attribute."""
        return self._read()[entity][attr]

    def parse_eid(self, entity: str, text):
        """The typed id that a text stands for."""
        try:
            return self.entities[entity].validate_eid(text)
        except KeyError:
            raise ValueError(f"Entity type '{entity}' does not exist.") from None

    def __contains__(self, key):
        if isinstance(key, tuple):
            return key in self.attributes
        return key in self.entities
