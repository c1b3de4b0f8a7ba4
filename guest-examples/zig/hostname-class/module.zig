//! Tells what kind of machine a host name hints at.

const std = @import("std");
const tenter = @import("tenter");
const c = tenter.c;

// The rules of the configuration, which stay while it does.
var rules: []const tenter.Json = &.{};

fn classify(host: [*c]const tenter.Entity, name: [*c]const tenter.Datapoint, out: [*c]c.tenter_tasks) callconv(.c) tenter.Error {
    const text = tenter.textOf(&name.*.value) orelse return null;
    const lower = std.ascii.allocLowerString(tenter.allocator, text) catch return tenter.failed("out of memory", .{});
    for (rules) |*rule| {
        const pair = tenter.items(rule);
        const part = tenter.jsonText(&pair[0]).?;
        if (std.mem.indexOf(u8, lower, part) == null) continue;
        const hint = tenter.jsonText(&pair[1]).?;
        const task = c.tenter_add_task(out, host.*);
        _ = c.tenter_plain(task, tenter.string("class"), c.tenter_text_value(tenter.string(hint)));
        return null;
    }
    return null;
}

fn setup(config: [*c]const tenter.Json) callconv(.c) tenter.Error {
    const entity = tenter.jsonText(tenter.member(config, "entity")) orelse "ip";
    rules = tenter.items(tenter.member(config, "rules"));
    for (rules) |*rule| {
        const pair = tenter.items(rule);
        if (pair.len != 2) return tenter.invalid("rules: expected a list of [part of a name, class]", .{});
        const part = tenter.jsonText(&pair[0]) orelse "";
        _ = tenter.jsonText(&pair[1]) orelse return tenter.invalid("rules: the class of \"{s}\" is no text", .{part});
        const upper = for (part) |letter| {
            if (std.ascii.isUpper(letter)) break true;
        } else false;
        if (part.len == 0 or upper)
            return tenter.invalid("rules: \"{s}\" fits no name: expected a part of a name in lower case", .{part});
    }
    for (tenter.items(tenter.member(config, "attributes"))) |*attribute| {
        const name = tenter.jsonText(attribute) orelse return tenter.invalid("attributes: expected a list of names", .{});
        const hook = c.tenter_on_new_attribute(tenter.terminated(entity), tenter.terminated(name), classify);
        c.tenter_refresh(hook, &[_:null]?[*:0]const u8{"class"});
    }
    const scope = std.fmt.allocPrint(tenter.allocator, "{s}.class", .{entity}) catch return tenter.failed("out of memory", .{});
    c.tenter_request(tenter.string("write-entities"), tenter.string(scope));
    return null;
}

const parameters = [_]c.tenter_parameter{
    .{ .name = "entity", .kind = "string", .title = "Entity type", .default_json = "\"ip\"" },
    .{ .name = "attributes", .kind = "json", .title = "Attributes with names", .default_json = "[\"hostname\"]" },
    .{
        .name = "rules",
        .kind = "json",
        .title = "Rules",
        .description = "A list of [part of a name in lower case, class]; the first that fits counts.",
        .default_json =
        \\[["dhcp", "dynamic"], ["dyn", "dynamic"], ["pool", "dynamic"], ["dsl", "access"], ["cable", "access"],
        \\ ["mail", "mail"], ["smtp", "mail"], ["vpn", "vpn"], ["proxy", "proxy"], ["www", "web"]]
        ,
    },
    .{},
};

export const tenter_module: c.tenter_module_info = .{
    .title = "Classify hosts by name",
    .parameters = &parameters,
    .setup = setup,
};
