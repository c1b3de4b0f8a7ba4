//! Transcripts of the command line: what a person or a script sees of commands that need no server.
//!
//! Each test has a folder, a home and an environment of its own. Paths of the folder read `[DIR]`, and nothing listens
//! on the port that stands for "no server".

#![allow(clippy::unwrap_used, reason = "tests may fail loudly, and their helpers with them")]

use std::path::Path;
use std::process::{Command, Stdio};

/// A folder to work in.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenter"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in ["TENTER_URL", "TENTER_TOKEN", "TENTER_LOG"] {
            command.env_remove(name);
        }
        command.env("HOME", self.path()).env("XDG_STATE_HOME", self.path().join("state"));
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        command
    }

    /// stdout, stderr and exit code.
    fn run(&self, args: &[&str]) -> (String, String, i32) {
        let output = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&self.path().display().to_string(), "[DIR]");
        (text(output.stdout), text(output.stderr), output.status.code().unwrap())
    }

    /// All three in one text.
    fn transcript(&self, args: &[&str]) -> String {
        let (stdout, stderr, code) = self.run(args);
        format!("{stdout}--- stderr\n{stderr}--- exit {code}\n")
    }
}

/// A port on which nothing listens: it was free a moment ago, and nothing else in the test asks for one.
fn nobody() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

#[test]
fn help_lists_the_commands() {
    insta::assert_snapshot!(Desk::new().transcript(&["--help"]), @"
    Run modules of other people at every hook of your data platform, in a sandbox

    Usage: tenter [OPTIONS] <COMMAND>

    Commands:
      demo           Show the whole way of data on bundled logs, in a temporary folder
      init           Write a site: a folder of configuration that `check` and `serve` take as it is
      check          Check a folder of configuration; needs no server
      schema         Print JSON Schemas of the configuration files, for editors
      serve          Serve a site
      schema-update  Make stored data fit a specification of entities that has changed; shows what is lost, and asks
      health         Show whether a server answers, and what kind it is
      status         Show how the server is doing
      new            Begin a module in a new folder that builds anywhere
      build          Build a module to a component
      doctor         Show which languages modules can be built in here, and how to install what is missing for the others
      wit            Write the contract between host and modules, for languages that there is no template for
      test           Test a module: cases that are data, in the sandbox, and the tests of its own language
      dev            Build, test and upload a module at each change of its files
      run            Call one hook of a component and show what it returns; nothing is stored, no server is needed
      module         Install and look after modules
      key            Make keys to sign modules with
      grant          Grant a capability to a module
      revoke         Take a capability away from a module
      secret         Set secrets that modules use and never see
      token          Make tokens for the server
      hook           Show hooks, and switch what is subscribed to them
      datapoint      Send datapoints
      entity         Look at entities, and change them
      snapshot       Make snapshots: current values of all entities, fused by modules; and list runs
      control        Have the server do something now, by the names that DP³ has for it
      telemetry      Show how data come in and what becomes of them, by the names that DP³ has for it
      why            Show which hooks ran for an entity, and which did not and why
      deadletter     Show tasks that could not be processed, and try them again
      case           Open cases of incident response, and look at them
      ioc            Add indicators to cases, and look at them
      action         Click what modules offer on case objects, and see what came of it
      invocation     Show calls of hooks
      audit          Show who changed what at the server
      backup         Copy the data, check a copy, and go back to it
      bench          Measure what the sandbox, the queue and the disk cost on this machine; needs no server
      completion     Print a completion script for a shell
      help           Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
      -o, --output <FORMAT>
              Form of the data on stdout

              Possible values:
              - table:  For people; may change between versions
              - json:   One JSON document, indented
              - ndjson: One JSON document per line
              
              [default: table]

      -q, --quiet
              Print data and errors alone: no progress, no advice

          --url <URL>
              The server [default: http://127.0.0.1:5000, or else what answers there or on port 8081 of this machine]
              
              [env: TENTER_URL=]

          --token <TOKEN>
              Token for the server; by itself the one that a server on this machine left for its owner
              
              [env: TENTER_TOKEN]

          --timeout <SECONDS>
              How long to wait for an answer [default: 60, for uploads 600]

    Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 conflict, 6 invalid input or configuration,
    7 server unreachable, 8 timeout, 9 tests failed, 130 interrupted.
    --- stderr
    --- exit 0
    ");
}

#[test]
fn help_for_lists_of_entities_has_examples() {
    let (help, stderr, code) = Desk::new().run(&["entity", "list", "ip", "-h"]);
    assert_eq!((stderr.as_str(), code), ("", 0));
    let own = help.split("\nGlobal options:").next().unwrap();
    insta::assert_snapshot!(own, @"
    List entity types, or the entities of one with their current values

    Usage: tenter entity list [OPTIONS] [ETYPE]

    Arguments:
      [ETYPE]  The entity type

    Options:
      -f, --fulltext <ATTR=PATTERN>  Only those where the attribute matches this regular expression, in any case; repeatable, or one JSON object
      -j, --filter <JSON>            Only those that this query finds, in MongoDB's language
      -a, --has-attr <ATTR>          Only those that have the attribute; repeatable
          --sort <ATTR>              Order by this attribute, `eid` or `NAME:-1` for descending; repeatable
      -s, --skip <N>                 Leave out this many [default: 0]
      -l, --limit <N>                At most this many; 0 = all [default: 20]
          --stored                   List what is stored, by id, instead of the latest snapshot
          --after <EID>              Begin after this id, of what is stored
      -h, --help                     Print help (see more with '--help')
      -V, --version                  Print version
    ");
    let examples = help.split("\nExamples:\n").nth(1).unwrap();
    assert!(examples.lines().take(6).all(|line| line.starts_with("  tenter entity list")), "{examples}");
}

#[test]
fn unknown_commands_are_usage_errors() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.transcript(&["modul", "list"]), @"
    --- stderr
    error: unrecognized subcommand 'modul'

      tip: a similar subcommand exists: 'module'

    Usage: tenter [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    ");
    assert_eq!(desk.run(&["entity", "ttl", "ip", "192.0.2.1", "base=soon"]).2, 2);
    assert_eq!(desk.run(&["status", "--url", "nonsense"]).2, 2);
    assert_eq!(desk.run(&["status", "--timeout", "0"]).2, 2);
}

#[test]
fn hook_kinds_print_both_tables() {
    let desk = Desk::new();
    let (table, stderr, code) = desk.run(&["hook", "kinds"]);
    assert_eq!((stderr.as_str(), code), ("", 0));
    assert!(table.contains("on_postload_ioc_comment_update"));
    // 15 kinds and 90 case hooks, a heading each, a blank line between.
    assert_eq!(table.lines().count(), 15 + 90 + 3);
    let head: Vec<_> =
        table.lines().take(5).map(|l| l.chars().take(100).collect::<String>().trim_end().to_owned()).collect();
    insta::assert_snapshot!(head.join("\n"), @"
    HOOK                   FAMILY    CALLED  WHEN
    on-task-start          ingest    yes     First, for every task, delete tasks too.
    allow-entity-creation  ingest    yes     The entity is unknown, before any side effect.
    on-entity-creation     ingest    yes     The entity was accepted, before datapoints are staged.
    on-new-attribute       ingest    yes     After staging, once per datapoint of the attribute.
    ");

    let (lines, ..) = desk.run(&["hook", "kinds", "-o", "ndjson"]);
    assert_eq!(lines.lines().count(), 105);
    insta::assert_snapshot!(lines.lines().last().unwrap(), @r#"{"action":"","in_reference":false,"iris_name":"on_manual_trigger_alert","kind":"manual","object":"alert","phase":"manual"}"#);
    let (one, ..) = desk.run(&["hook", "kinds", "--family", "update", "-o", "json"]);
    insta::assert_snapshot!(one, @r#"
    [
      {
        "called": true,
        "family": "update",
        "name": "update-record",
        "on_failure": "retry transient faults 3 times, then skip its output",
        "returns": "tasks (normal queue)",
        "sees": "type, id, master record",
        "when": "Sweep over stored entities, spread over the period.",
        "wit": "update.update-record"
      },
      {
        "called": true,
        "family": "update",
        "name": "update-entity",
        "on_failure": "retry transient faults 3 times, then skip its output",
        "returns": "tasks (normal queue)",
        "sees": "type, id",
        "when": "Sweep over stored entities, identity only.",
        "wit": "update.update-entity"
      }
    ]
    "#);
    assert_eq!(desk.run(&["hook", "kinds", "--family", "updates"]).2, 2);
}

#[test]
fn init_writes_a_site_that_check_accepts() {
    let desk = Desk::new();
    let (files, stderr, code) = desk.run(&["init", "site"]);
    assert_eq!((stderr.as_str(), code), ("next: tenter check site\n", 0));
    assert!(files.contains("site/db_entities/ip.yml"));
    insta::assert_snapshot!(desk.transcript(&["check", "site"]), @"
    ENTITY TYPE  ATTRIBUTES
    ip           5
    --- stderr
    site is valid
    next: tenter serve site
    --- exit 0
    ");
    // Nothing of what is there is replaced unasked.
    desk.write("site/tenter.yml", "lanes: 2\n");
    insta::assert_snapshot!(desk.transcript(&["init", "site"]), @"
    --- stderr
    error: site is not empty
    help: `--force` writes into it nevertheless and replaces files of the same name
    --- exit 5
    ");
    assert_eq!(desk.run(&["init", "site", "--force", "-q"]).2, 0);
    assert_ne!(std::fs::read_to_string(desk.path().join("site/tenter.yml")).unwrap(), "lanes: 2\n");
}

#[test]
fn check_names_every_place() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["init", "site"]).2, 0);
    desk.write("site/snapshots.yml", "creation_rat: {minute: 5}\n");
    desk.write(
        "site/db_entities/ip.yml",
        "entity: {id: ip, id_data_type: ipv4, name: IP, snapshot: true}\nattribs:\n  a:\n    name: A\n    type: observation\n    data_type: int\n",
    );
    insta::assert_snapshot!(desk.transcript(&["check", "site"]), @r#"
    --- stderr
    warning: snapshots.yml:1:1: creation_rat: unknown key, it has no effect; did you mean "creation_rate"?
    db_entities/ip.yml:5:11: ip.attribs.a.type: Invalid `type` of attribute 'a': found "observation"; expected one of plain, observations, timeseries; did you mean "observations"?
    error: site is not valid: 1 error
    help: correct the places named above; `tenter init` in an empty folder shows a site that works
    --- exit 6
    "#);
    let (json, _, code) = desk.run(&["check", "site", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["valid"].as_bool(), code), (Some(false), 6));
    assert!(json["errors"].as_array().unwrap().iter().any(|e| e["file"] == "db_entities/ip.yml" && e["line"] == 5));
    insta::assert_snapshot!(desk.transcript(&["check", "none"]), @"
    --- stderr
    error: none is not a folder
    help: `tenter init none` writes a site there
    --- exit 3
    ");
}

#[test]
fn without_a_server_the_error_says_how_to_start_one() {
    let desk = Desk::new();
    let url = nobody();
    let transcript = desk.transcript(&["status", "--url", &url]).replace(&url, "[URL]");
    insta::assert_snapshot!(transcript, @"
    --- stderr
    error: cannot reach [URL]: connection refused
    help: is `tenter serve` running? `tenter serve DIR` starts a server; `--url` names another one
    --- exit 7
    ");
}

#[test]
fn datapoints_are_checked_before_a_server_is_asked() {
    let desk = Desk::new();
    desk.write("bad.json", "[{\"type\": \"ip\"},\n {\"type\": ]");
    insta::assert_snapshot!(desk.transcript(&["datapoint", "send", "bad.json", "--url", &nobody()]), @"
    --- stderr
    error: bad.json:2: the array does not end; is the file cut off?
    nothing was sent before
    help: correct it, then send again
    --- exit 6
    ");
    assert_eq!(desk.run(&["datapoint", "send", "none.json"]).2, 3);
    desk.write("empty.json", "[]");
    let (sent, _, code) = desk.run(&["datapoint", "send", "empty.json", "-o", "ndjson", "--url", &nobody()]);
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    assert_eq!((sent["sent"].as_u64(), code), (Some(0), 0));
}

#[test]
fn new_is_for_known_languages_and_for_empty_folders() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.transcript(&["new", "hello", "--lang", "cobol"]), @r#"
    --- stderr
    error: there is no template for "cobol"
    help: there are rust, python, javascript, typescript, go, c, zig; any other language that makes components can be used with the contract that `tenter wit DIR` writes
    --- exit 2
    "#);
    insta::assert_snapshot!(desk.transcript(&["new", "hello"]), @"
    hello
    --- stderr
    the module hello begins in hello/src/lib.rs
    next: tenter build hello
    --- exit 0
    ");
    assert!(desk.path().join("hello/vendor/tenter/wit/worlds.wit").is_file());
    let manifest = std::fs::read_to_string(desk.path().join("hello/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"hello\""), "{manifest}");
    assert_eq!(desk.run(&["new", "hello"]).2, 5);
    assert_eq!(desk.run(&["new", "Hello"]).2, 2);
    assert_eq!(desk.run(&["build", "."]).2, 3);
}

#[test]
fn completions_know_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (script, stderr, code) = desk.run(&["completion", shell]);
        assert!(script.contains("deadletter"), "{shell}");
        assert_eq!((stderr.as_str(), code), ("", 0));
    }
    assert_eq!(desk.run(&["completion", "csh"]).2, 2);
}

#[test]
fn what_is_no_component_is_not_run() {
    let desk = Desk::new();
    desk.write("m.wasm", "\0asm\u{1}\0\0\0");
    insta::assert_snapshot!(desk.transcript(&["run", "m.wasm", "--hook", "on-task-start"]), @"
    --- stderr
    error: cannot use m.wasm: it is a core WebAssembly module, not a component
    help: build it for wasm32-wasip2, as `tenter build` does
    --- exit 6
    ");
    assert_eq!(desk.run(&["module", "upload", "m.wasm"]).2, 6);
    assert_eq!(desk.run(&["run", "none.wasm", "--hook", "on-task-start"]).2, 3);
    insta::assert_snapshot!(desk.transcript(&["run", "m.wasm", "--hook", "on-task-stat"]), @r#"
    --- stderr
    error: invalid value 'on-task-stat' for '--hook <KIND>': "on-task-stat" is not a kind of hook, did you mean "on-task-start"?; `tenter hook kinds` lists them

    For more information, try '--help'.
    --- exit 2
    "#);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::new();
    let mut child =
        desk.command(&["hook", "kinds", "-o", "ndjson"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), ("", Some(0)));
}

#[test]
fn without_data_there_is_no_schema_to_update() {
    let desk = Desk::new();
    desk.run(&["init", "site"]);
    insta::assert_snapshot!(desk.transcript(&["schema-update", "site", "--dry-run"]), @"
    --- stderr
    error: there are no data in site/data
    help: `tenter serve site` begins them; --data names another folder
    --- exit 3
    ");
    assert!(!desk.path().join("site/data").exists());
    insta::assert_snapshot!(desk.transcript(&["schema-update", "site", "--dry-run", "--yes"]), @"
    --- stderr
    error: the argument '--dry-run' cannot be used with '--yes'

    Usage: tenter schema-update --dry-run <DIR>

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn a_directory_of_dp3_is_checked_and_its_python_modules_named() {
    let desk = Desk::new();
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/data/sites/template");
    copy(&template, &desk.path().join("app/config"));
    std::fs::create_dir(desk.path().join("app/modules")).unwrap();
    desk.write("app/modules/module_one.py", "");
    insta::assert_snapshot!(desk.transcript(&["check", "app/config"]), @"
    ENTITY TYPE  ATTRIBUTES
    device       3
    --- stderr
    warning: (directory): these are ignored, since they concern DP³'s processes, MongoDB, RabbitMQ, Redis or the web server, or have no effect in DP³ either: nginx.conf, supervisord.conf, processing_core.yml (msg_broker, worker_processes, worker_threads, modules_dir), history_manager.yml (mark_datapoints_schedule), event_logging.yml (redis, groups.te.sync_interval, groups.te.sync_limit, groups.tasks_by_src.sync_interval, groups.tasks_by_src.sync_limit), database.yml (db_name, username, password, connection, storage.snapshot_bucket_size)
    warning: processing_core.yml: enabled_modules.module_one: no component was uploaded for it, so its hooks are not called; `tenter build --from-dp3 ../modules/module_one.py --out module_one.wasm` makes one of its Python, `tenter module upload module_one.wasm` brings it, docs/from-dp3.md tells the way
    app/config is valid
    next: tenter serve app/config
    --- exit 0
    ");
    let (model, _, code) = desk.run(&["check", "app/config", "-q", "-v"]);
    let model: serde_json::Value = serde_json::from_str(&model).unwrap();
    assert_eq!((model["entities"]["device"]["attribs"]["location"]["type"].as_str(), code), (Some("observations"), 0));
}

#[test]
fn schemas_are_printed_and_written() {
    let desk = Desk::new();
    let (kinds, _, code) = desk.run(&["schema", "-q", "-o", "ndjson"]);
    assert_eq!((kinds.lines().count(), code), (13, 0));
    let (schema, stderr, code) = desk.run(&["schema", "snapshots.yml"]);
    assert_eq!((stderr.as_str(), code), ("", 0));
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(desk.run(&["schema", "--out", "schemas"]).2, 0);
    let written = std::fs::read_to_string(desk.path().join("schemas/snapshots.schema.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), schema);
    insta::assert_snapshot!(desk.transcript(&["schema", "snapshot"]), @r#"
    --- stderr
    error: there is no kind of file "snapshot", did you mean snapshots?
    help: one of api, control, database, db_entities, event_logging, garbage_collector, history_manager, modules, processing_core, snapshots, telemetry, tenter, updater
    --- exit 2
    "#);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, to).unwrap();
        }
    }
}
