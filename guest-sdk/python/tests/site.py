"""An entity specification with every kind of attribute and every type of id, as `tenter check -o json` prints one."""


def plain(data_type, **more):
    """A plain attribute."""
    return {"t": 1, "type": "plain", "data_type": data_type, **more}


def observed(data_type, **more):
    """An observations attribute."""
    return {"t": 2, "type": "observations", "data_type": data_type, "multi_value": False, **more}


def entity(id_type, attribs):
    """An entity type."""
    named = {name: {"id": name, "name": name, "ttl": "PT0S", **one} for name, one in attribs.items()}
    return {"id_data_type": id_type, "name": "x", "snapshot": True, "lifetime": {"type": "immortal"}, "attribs": named}


SITE = {
    "entities": {
        "host": entity(
            "string",
            {
                "text": plain("string"),
                "number": plain("int"),
                "real": plain("float"),
                "tag": plain("tag"),
                "at": plain("time"),
                "v4": plain("ipv4"),
                "mac": plain("mac"),
                "anything": plain("json"),
                "special": plain("special"),
                "kind": plain("category<string;up,down>"),
                "list": plain("array<int>"),
                "map": plain("dict<port:int,protocol?:string>"),
                "site": plain("link<site;mirror=hosts>"),
                "rated": plain("link<site,int>"),
                "sites": plain("set<link<site>>"),
                "name": observed("string"),
                "ports": observed("int", multi_value=True),
                "home": observed("link<site>", history_params={"max_age": "P1DT2H", "aggregate": True}),
                "traffic": {
                    "t": 4,
                    "type": "timeseries",
                    "timeseries_type": "regular",
                    "timeseries_params": {"max_age": "P14D", "time_step": "PT10M"},
                    "series": {"bytes": {"data_type": "int"}, "rate": {"data_type": "float"}},
                },
                "events": {
                    "t": 4,
                    "type": "timeseries",
                    "timeseries_type": "irregular",
                    "timeseries_params": {},
                    "series": {"n": {"data_type": "int"}},
                },
            },
        ),
        "site": entity(
            "int",
            {
                "label": plain("string"),
                "risk": plain("float"),
                "owner": plain("link<person>"),
                "hosts": plain("set<link<host>>", mirror_of={"etype": "host", "attr": "site"}),
            },
        ),
        "person": entity("mac", {"name": plain("string")}),
        "ip": entity("ipv4", {"class": plain("string"), "hostname": plain("string"), "seen": observed("string")}),
        "ip6": entity("ipv6", {"class": plain("string")}),
    }
}
