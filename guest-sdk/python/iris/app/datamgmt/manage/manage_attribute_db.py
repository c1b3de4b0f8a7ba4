"""Custom attributes of objects: tabs of fields, which become edits when the hook ends well."""

import copy

from tenter_net import host

TYPES = (
    "input_string",
    "input_textfield",
    "input_checkbox",
    "input_select",
    "input_date",
    "input_datetime",
    "raw",
    "html",
)


def add_tab_attribute(obj, tab_name):
    """Makes sure of a tab. An empty tab shows nowhere: it comes into being with its first field."""
    tree = dict(obj.custom_attributes or {})
    tree.setdefault(tab_name, {})
    obj.custom_attributes = tree
    return True


def add_tab_attribute_field(obj, tab_name, field_name, field_type, field_value, mandatory=None, field_options=None):
    """Sets a field in a tab, in place of one of that name. The host makes HTML harmless."""
    if field_type not in TYPES:
        raise ValueError(host.at(f"{field_type!r} is no type of a field; expected one of {', '.join(TYPES)}"))
    tree = copy.deepcopy(obj.custom_attributes or {})
    field = {"mandatory": bool(mandatory), "type": field_type, "value": field_value}
    if field_options is not None:
        field["options"] = field_options
    tree.setdefault(tab_name, {})[field_name] = field
    obj.custom_attributes = tree
    return True


def remove_tab_attribute_field(obj, tab_name, field_name):
    """Is refused: a module adds and changes fields, people remove them."""
    raise host.unsupported("removing a custom attribute", "set its value to an empty text")


def get_default_custom_attributes(object_type):
    """The operator's tree of an object is with the object."""
    raise host.unsupported("reading the default attributes of a kind", "read `custom_attributes` of the object")


def merge_custom_attributes(data, obj_id, object_type, overwrite=False):
    """Is refused: objects are reached through the hook alone."""
    raise host.unsupported("writing custom attributes by id", "use add_tab_attribute_field on the object of the hook")
