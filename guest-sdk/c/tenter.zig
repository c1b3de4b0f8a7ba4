//! Modules for Tenter in Zig: the SDK for C, with slices as strings and handlers that may fail.
//!
//! `c` is the whole C API. Memory is as there: what a call makes goes with it, and what `setup` makes stays.

const std = @import("std");

pub const c = @import("c");

pub const Entity = c.tenter_entity;
pub const Datapoint = c.tenter_datapoint;
pub const Task = c.tenter_task;
pub const Value = c.tenter_value;
pub const Json = c.tenter_json;
/// What a handler returns to C: nothing, or why there is no result.
pub const Error = c.tenter_error;

/// Text of the contract as a slice.
pub fn slice(text: c.tenter_string) []const u8 {
    return if (text.len == 0) "" else text.ptr[0..text.len];
}

/// A slice as text of the contract; it refers to the slice.
pub fn string(text: []const u8) c.tenter_string {
    return c.tenter_bytes(text.ptr, text.len);
}

/// The text of a value; null for a value of another kind.
pub fn textOf(value: *const Value) ?[]const u8 {
    var text: c.tenter_string = undefined;
    return if (c.tenter_read_text(value, &text)) slice(text) else null;
}

/// An entry of a JSON object; null where there is none.
pub fn member(object: ?*const Json, name: [*:0]const u8) ?*const Json {
    return c.tenter_json_get(object, name);
}

/// The items of a JSON list; none for other JSON.
pub fn items(list: ?*const Json) []const Json {
    const json = list orelse return &.{};
    return if (json.kind != c.TENTER_LIST or json.len == 0) &.{} else json.items[0..json.len];
}

/// The text of JSON text; null for other JSON.
pub fn jsonText(json: ?*const Json) ?[]const u8 {
    const given = json orelse return null;
    return if (given.kind == c.TENTER_TEXT) slice(given.text) else null;
}

/// An allocator for what goes with the call, or in `setup` stays: the SDK's own.
pub const allocator: std.mem.Allocator = .{ .ptr = undefined, .vtable = &.{
    .alloc = alloc,
    .resize = std.mem.Allocator.noResize,
    .remap = std.mem.Allocator.noRemap,
    .free = std.mem.Allocator.noFree,
} };

fn alloc(_: *anyopaque, len: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    // The SDK aligns to 16 bytes, which is what any type needs.
    if (alignment.toByteUnits() > 16) return null;
    return @ptrCast(c.tenter_alloc(len));
}

fn print(comptime format: []const u8, args: anytype) c.tenter_string {
    return string(std.fmt.allocPrint(allocator, format, args) catch "out of memory");
}

/// The data is to blame.
pub fn invalid(comptime format: []const u8, args: anytype) Error {
    const text = print(format, args);
    return c.tenter_invalid("%.*s", @as(c_int, @intCast(text.len)), text.ptr);
}

/// Something outside failed; the host tries again where the kind of hook has retries.
pub fn unavailable(comptime format: []const u8, args: anytype) Error {
    const text = print(format, args);
    return c.tenter_unavailable("%.*s", @as(c_int, @intCast(text.len)), text.ptr);
}

/// The module is to blame.
pub fn failed(comptime format: []const u8, args: anytype) Error {
    const text = print(format, args);
    return c.tenter_failed("%.*s", @as(c_int, @intCast(text.len)), text.ptr);
}

/// Writes to the module's log at the level `info`.
pub fn info(comptime format: []const u8, args: anytype) void {
    c.tenter_log(c.TENTER_HOOKS_LOG_LEVEL_INFO, print(format, args));
}

/// Text with a zero behind it, as registrations take it.
pub fn terminated(text: []const u8) [*:0]const u8 {
    return c.tenter_terminated(string(text));
}
