//! The report for people.

use serde_json::Value as Json;

use crate::output::{field, pairs, plain, table};

/// Tables of what was measured, with the load average beside each.
pub(super) fn text(report: &Json) -> String {
    let mut text = String::new();
    let load = |of: &Json| format!("load average {}", plain(&field(of, "load_average")));
    let mut part = |title: &str, of: &Json, body: String| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{title} ({})\n{body}", load(of)));
    };
    if let Some(call) = report.get("call") {
        let rows = pairs(&[
            ("native", format!("{} ns", field(call, "native_ns"))),
            ("in the sandbox", format!("{} ns", field(call, "warm_ns"))),
            ("ratio", field(call, "ratio")),
            ("way in and out alone", format!("{} ns", field(call, "border_ns"))),
        ]);
        part("One call of a hook, warm, CPU time", call, rows);
    }
    if let Some(replace) = report.get("replace") {
        let rows = pairs(&[
            ("call that ran out of fuel", format!("{} us", field(replace, "exhausted_call_us"))),
            ("next call, new instance", format!("{} us", field(replace, "next_call_us"))),
            ("the same, warm", format!("{} us", field(replace, "warm_call_us"))),
            ("replacement", format!("{} us", field(report, "replace_us"))),
        ]);
        part("An instance replaced", replace, rows);
    }
    if let Some(ingest) = report.get("ingest") {
        part("Tasks of three datapoints, durable", ingest, ingestion(report, ingest));
    }
    if let Some(http) = report.get("http") {
        part("Datapoints over HTTP, a hundred a request", http, over_http(http));
        part("A page of latest snapshots", http, listings(http));
    }
    if let Some(neighbours) = report.get("neighbours") {
        let row = |name: &str, key: &str| {
            vec![
                name.to_owned(),
                field(neighbours, &format!("{key}.p50_us")),
                field(neighbours, &format!("{key}.p99_us")),
            ]
        };
        let rows = vec![row("alone", "alone"), row("beside a hostile module", "beside")];
        let mut body = table(&["latency", "p50 us", "p99 us"], rows);
        body.push_str(&pairs(&[
            ("p99 beside / alone", field(neighbours, "p99_ratio")),
            ("hostile calls stopped", field(neighbours, "hostile_calls_stopped")),
        ]));
        part("A module's tasks, admission to storage", neighbours, body);
    }
    if let Some(snapshot) = report.get("snapshot") {
        let row = |name: &str, key: &str| {
            let of = |figure: &str| field(snapshot, &format!("{key}_{figure}"));
            vec![name.to_owned(), of("entities_per_s"), of("cpu_us")]
        };
        let rows = vec![row("no hook", "no_hook"), row("one correlation hook", "hook")];
        let mut body = table(&["what", "entities/s", "CPU us/entity"], rows);
        body.push_str(&pairs(&[
            ("hook / no hook", field(snapshot, "hook_ratio")),
            ("entities", field(snapshot, "entities")),
            ("lanes", field(snapshot, "lanes")),
            ("peak memory", format!("{} bytes", field(snapshot, "peak_memory_bytes"))),
        ]));
        part("Snapshots of entities without links, durable", snapshot, body);
        part("Snapshots of one component each, with its hooks", snapshot, shapes(snapshot));
    }
    text
}

fn shapes(snapshot: &Json) -> String {
    let row = |name: &str| {
        let of = |figure: &str| field(snapshot, &format!("shapes.{name}.{figure}"));
        vec![name.to_owned(), of("entities"), of("links"), of("wall_ms"), of("cpu_ms")]
    };
    let rows = ["component", "hub", "chain", "cycle"].map(row).into();
    let mut body = table(&["shape", "entities", "links", "ms", "CPU ms"], rows);
    let peak = field(snapshot, "shapes_peak_memory_bytes");
    body.push_str(&pairs(&[("peak memory", format!("{peak} bytes"))]));
    body
}

fn listings(http: &Json) -> String {
    let row = |name: &str, key: &str| {
        let of = |figure: &str| field(http, &format!("listing.{key}.{figure}"));
        vec![name.to_owned(), of("tenth.p50_ms"), of("all.p50_ms"), of("all.p99_ms"), of("growth")]
    };
    let rows = vec![row("by a range of ids", "indexed"), row("by an attribute", "unindexed")];
    let mut body = table(&["filter", "ms, a tenth", "ms, all", "p99 ms", "growth"], rows);
    body.push_str(&pairs(&[("entities", field(http, "listing.entities"))]));
    body
}

fn over_http(http: &Json) -> String {
    let row = |name: &str, figure: &str, cpu: &str, ratio: &str| {
        let of = |pointer: &str| if pointer.is_empty() { String::new() } else { field(http, pointer) };
        vec![name.to_owned(), of(figure), of(cpu), of(ratio)]
    };
    let rows = vec![
        row("bare storage loop", "path.ceiling_datapoints_per_s", "", ""),
        row("to the store", "path.datapoints_per_s", "path.cpu_us_per_datapoint", "path.ratio"),
        row("of it parsing", "", "path.parse_us_per_datapoint", ""),
        row("3 hooks, no HTTP", "ingest.without_datapoints_per_s", "ingest.without_cpu_us_per_datapoint", ""),
        row("3 hooks", "ingest.over_http_datapoints_per_s", "ingest.over_http_cpu_us_per_datapoint", "ingest.ratio"),
    ];
    let mut body = table(&["what", "datapoints/s", "CPU us each", "ratio"], rows);
    body.push_str("The first ratio is to the bare loop, the second to the same without HTTP.\n");
    body
}

fn ingestion(report: &Json, ingest: &Json) -> String {
    let row = |name: &str, key: &str, ratio: Option<&str>| {
        let of = |figure: &str| field(ingest, &format!("variants.{key}.{figure}"));
        let ratio = ratio.map_or(String::new(), |ratio| field(ingest, ratio));
        vec![name.to_owned(), of("tps"), of("cpu_us_per_task"), ratio]
    };
    let rows = vec![
        row("bare storage loop", "ceiling", None),
        row("no hooks", "no_hooks", Some("ceiling_ratio")),
        row("3 hooks per datapoint", "three_hooks", Some("three_hooks_ratio")),
        row("and a created task each", "created", Some("created_ratio")),
    ];
    let mut text = table(&["what", "tasks/s", "CPU us/task", "ratio"], rows);
    text.push_str("The ratio of no hooks is to the bare loop, the others are to no hooks.\n");
    text.push_str(&pairs(&[("flushes of the disk", format!("{}/s", field(report, "fsync_per_s")))]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_part_has_its_table() {
        let load_average = [0.5, 1.0, 2.0];
        let variant = |tps, cpu| json!({"tps": tps, "cpu_us_per_task": cpu});
        let shape = json!({"entities": 1001, "links": 1000, "wall_ms": 50.5, "cpu_ms": 61});
        let report = json!({
            "call": {"native_ns": 300.0, "warm_ns": 2100.0, "ratio": 7.0, "border_ns": 900.0, "load_average": load_average},
            "replace_us": 20.0,
            "replace": {"exhausted_call_us": 90.0, "next_call_us": 23.0, "warm_call_us": 3.0, "load_average": load_average},
            "fsync_per_s": 5000.0,
            "ingest": {
                "three_hooks_ratio": 0.9, "created_ratio": 0.75, "ceiling_ratio": 0.8, "load_average": load_average,
                "variants": {
                    "no_hooks": variant(20_000, 40), "three_hooks": variant(18_000, 60),
                    "created": variant(15_000, 70), "ceiling": variant(25_000, 25),
                },
            },
            "http": {
                "path": {
                    "datapoints_per_s": 900_000, "cpu_us_per_datapoint": 1.5, "parse_us_per_datapoint": 0.5,
                    "ceiling_datapoints_per_s": 100_000, "ratio": 9.0,
                },
                "ingest": {
                    "over_http_datapoints_per_s": 50_000, "without_datapoints_per_s": 55_000,
                    "over_http_cpu_us_per_datapoint": 30, "without_cpu_us_per_datapoint": 28, "ratio": 0.91,
                },
                "listing": {
                    "indexed": {"tenth": {"p50_ms": 1.0}, "all": {"p50_ms": 1.5, "p99_ms": 2.5}, "growth": 1.5},
                    "unindexed": {"tenth": {"p50_ms": 10.0}, "all": {"p50_ms": 95.0, "p99_ms": 99.0}, "growth": 9.5},
                    "entities": 10_000,
                },
                "load_average": load_average,
            },
            "neighbours": {
                "alone": {"p50_us": 500, "p99_us": 900}, "beside": {"p50_us": 600, "p99_us": 1800},
                "p99_ratio": 2.0, "hostile_calls_stopped": 12, "load_average": load_average,
            },
            "snapshot": {
                "no_hook_entities_per_s": 40_000, "hook_entities_per_s": 32_000, "no_hook_cpu_us": 40, "hook_cpu_us": 50,
                "hook_ratio": 0.8, "peak_memory_bytes": 100_000_000, "load_average": load_average,
                "entities": 10_000, "lanes": 2, "shapes_peak_memory_bytes": 200_000_000,
                "shapes": {
                    "component": shape, "hub": {"entities": 10_000, "links": 9_999, "wall_ms": 900, "cpu_ms": 1000},
                    "chain": shape, "cycle": shape,
                },
            },
        });
        insta::assert_snapshot!(text(&report), @r"
        One call of a hook, warm, CPU time (load average 0.5, 1.0, 2.0)
        native                300.0 ns
        in the sandbox        2100.0 ns
        ratio                 7.0
        way in and out alone  900.0 ns

        An instance replaced (load average 0.5, 1.0, 2.0)
        call that ran out of fuel  90.0 us
        next call, new instance    23.0 us
        the same, warm             3.0 us
        replacement                20.0 us

        Tasks of three datapoints, durable (load average 0.5, 1.0, 2.0)
        WHAT                     TASKS/S  CPU US/TASK  RATIO
        bare storage loop        25000    25
        no hooks                 20000    40           0.8
        3 hooks per datapoint    18000    60           0.9
        and a created task each  15000    70           0.75
        The ratio of no hooks is to the bare loop, the others are to no hooks.
        flushes of the disk  5000.0/s

        Datapoints over HTTP, a hundred a request (load average 0.5, 1.0, 2.0)
        WHAT               DATAPOINTS/S  CPU US EACH  RATIO
        bare storage loop  100000
        to the store       900000        1.5          9.0
        of it parsing                    0.5
        3 hooks, no HTTP   55000         28
        3 hooks            50000         30           0.91
        The first ratio is to the bare loop, the second to the same without HTTP.

        A page of latest snapshots (load average 0.5, 1.0, 2.0)
        FILTER             MS, A TENTH  MS, ALL  P99 MS  GROWTH
        by a range of ids  1.0          1.5      2.5     1.5
        by an attribute    10.0         95.0     99.0    9.5
        entities  10000

        A module's tasks, admission to storage (load average 0.5, 1.0, 2.0)
        LATENCY                  P50 US  P99 US
        alone                    500     900
        beside a hostile module  600     1800
        p99 beside / alone     2.0
        hostile calls stopped  12

        Snapshots of entities without links, durable (load average 0.5, 1.0, 2.0)
        WHAT                  ENTITIES/S  CPU US/ENTITY
        no hook               40000       40
        one correlation hook  32000       50
        hook / no hook  0.8
        entities        10000
        lanes           2
        peak memory     100000000 bytes

        Snapshots of one component each, with its hooks (load average 0.5, 1.0, 2.0)
        SHAPE      ENTITIES  LINKS  MS    CPU MS
        component  1001      1000   50.5  61
        hub        10000     9999   900   1000
        chain      1001      1000   50.5  61
        cycle      1001      1000   50.5  61
        peak memory  200000000 bytes
        ");
    }
}
