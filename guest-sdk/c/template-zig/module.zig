//! Greets every new address.

const std = @import("std");
const tenter = @import("tenter");
const c = tenter.c;

fn greet(task: [*c]const tenter.Task, out: [*c]c.tenter_tasks) callconv(.c) tenter.Error {
    const eid = tenter.slice(task.*.entity.eid);
    const greeting = std.fmt.allocPrint(tenter.allocator, "Hello, {s}!", .{eid}) catch return tenter.failed("out of memory", .{});
    const made = c.tenter_add_task(out, task.*.entity);
    _ = c.tenter_plain(made, tenter.string("greeting"), c.tenter_text_value(tenter.string(greeting)));
    return null;
}

fn setup(_: [*c]const tenter.Json) callconv(.c) tenter.Error {
    _ = c.tenter_on_entity_creation("ip", greet);
    c.tenter_request(tenter.string("write-entities"), tenter.string("ip.greeting"));
    return null;
}

export const tenter_module: c.tenter_module_info = .{ .title = "Greet new addresses", .setup = setup };
