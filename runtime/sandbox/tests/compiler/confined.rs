//! What the process that compiles gets, may do and gives back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tenter_model::module::LoadedModule;
use tenter_sandbox::{AdmitError, CompileLimits, Compiler, Sandbox, SandboxOptions};

use crate::support::{Data, admit, settings, villain};

pub(crate) fn me() -> PathBuf {
    std::env::current_exe().unwrap()
}

pub(crate) fn admit_with(
    compiler: Compiler,
    cache_dir: Option<PathBuf>,
    bytes: &[u8],
) -> Result<LoadedModule, AdmitError> {
    let sandbox = Sandbox::new(SandboxOptions { cache_dir, lanes: 1 }).unwrap().compile_with(compiler);
    admit(&sandbox, bytes, settings(json!({})), Arc::new(Data::default()))
}

pub(crate) fn refused(compiler: Compiler, bytes: &[u8]) -> String {
    let error = admit_with(compiler, None, bytes).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

pub(crate) fn a_component_is_compiled_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Some(dir.path().to_owned());
    let first = admit_with(Compiler::child(me()), cache.clone(), &villain()).unwrap();
    assert_eq!(first.descriptor.title, "Villain");
    // What the process wrote is in the cache, so that no compiler is needed any more.
    let broken = Compiler::child("/no/such/program".into());
    let second = admit_with(broken, cache, &villain()).unwrap();
    assert_eq!(first.digest, second.digest);
}

/// A component that is damaged is refused in the same words as by the compiler in this process.
pub(crate) fn words_of_the_compiler_arrive() {
    let whole = villain();
    let half = &whole[..whole.len() / 2];
    let said = refused(Compiler::child(me()), half);
    assert_eq!(said, refused(Compiler::InProcess, half));
    assert!(said.starts_with("compile: the component cannot be compiled for this host: "), "{said}");
    // What the process has no pool for is refused when the code is loaded.
    let many = "(core instance (instantiate $m))".repeat(129);
    let many = wat::parse_str(format!("(component (core module $m) {many})")).unwrap();
    assert_eq!(refused(Compiler::child(me()), &many), refused(Compiler::InProcess, &many));
}

/// The limits as the system sees them, while the process waits for its input.
pub(crate) fn the_process_is_confined() {
    if !Path::new("/proc/self/limits").exists() {
        println!("no /proc here: not looked at");
        return;
    }
    let mut command = Command::new(me());
    command.args(["__compile", "120", "2147483648"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
    let until = Instant::now() + Duration::from_secs(20);
    // The last thing that it gives up.
    while !read("status").contains("NoNewPrivs:\t1") {
        assert!(Instant::now() < until, "the process does not confine itself: {}", read("status"));
        std::thread::yield_now();
    }
    if filters() {
        while !read("status").contains("Seccomp:\t2") {
            assert!(Instant::now() < until, "no system calls are filtered: {}", read("status"));
            std::thread::yield_now();
        }
    }
    let limits = read("limits");
    for (name, soft, hard) in [
        ("Max cpu time", "120", "121"),
        ("Max address space", "2147483648", "2147483648"),
        ("Max core file size", "0", "0"),
        ("Max file size", "0", "0"),
        ("Max open files", "3", "3"),
        ("Max processes", "0", "0"),
    ] {
        let line = limits.lines().find(|l| l.starts_with(name)).unwrap();
        let found: Vec<&str> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(found, [soft, hard], "{line}");
    }
    drop(child.stdin.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(out.stdout.is_empty());
}

/// Whether this system filters system calls.
fn filters() -> bool {
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))
        && std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("Seccomp:"))
}

/// What a compiler that was taken over would try, with how each is called.
type Deed = (&'static str, fn(&Path) -> std::io::Result<()>);
const DEEDS: [Deed; 6] = [
    ("read a file", |file| std::fs::read(file).map(drop)),
    ("remove a file", |file| std::fs::remove_file(file)),
    ("open a socket", |_| std::os::unix::net::UnixDatagram::unbound().map(drop)),
    ("listen", |_| std::net::TcpListener::bind("127.0.0.1:0").map(drop)),
    ("start a thread", |_| std::thread::Builder::new().spawn(|| ()).map(drop)),
    ("start a program", |_| Command::new("/bin/true").status().map(drop)),
];

/// This program as the process that tries, held or not: says of each deed whether it was done, and why not.
pub(crate) fn tries(mut args: impl Iterator<Item = String>) {
    let (how, file) = (args.next().unwrap(), PathBuf::from(args.next().unwrap()));
    if how == "held" {
        println!("{:?}", tenter_sandbox::compile_child::confine(60, 1 << 30).unwrap());
    }
    for (name, deed) in DEEDS {
        match deed(&file) {
            Ok(()) => println!("{name}: done"),
            Err(error) => println!("{name}: {:?}", error.kind()),
        }
    }
}

/// Behind the filter each deed is refused as such, and what compiling needs goes on; without it each is done.
pub(crate) fn nothing_but_computing_is_possible() {
    if !filters() {
        println!("notice: this system has no filter of system calls, so nothing was tried");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let tried = |how: &str| {
        let out = Command::new(me()).args(["tries", how, file.to_str().unwrap()]).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    let lines = |says: &str| DEEDS.map(|(name, _)| format!("{name}: {says}\n")).concat();
    assert_eq!(tried("held"), format!("Filtered\n{}", lines("PermissionDenied")));
    assert!(file.exists());
    // The control: the same deeds by the same program are possible.
    assert_eq!(tried("free"), lines("done"));
    assert!(!file.exists());
}

/// A script in the place of the compiler tells what it was given.
#[track_caller]
fn script(text: &str) -> (tempfile::TempDir, Compiler) {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("script");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (dir, Compiler::child(path))
}

pub(crate) fn nothing_of_the_server_is_passed_on() {
    // A shell sets a few variables by itself; one from outside must not be there.
    assert!(std::env::var_os("HOME").is_some());
    let open = std::fs::File::open(me()).unwrap();
    let (_dir, compiler) = script("echo in $(pwd), ${HOME-nothing} >&2; ls -l /proc/$$/fd >&2; exit 1");
    let said = refused(compiler, &villain());
    drop(open);
    assert!(said.contains("in /, nothing") && said.contains("pipe:"), "{said}");
    assert!(!said.contains(me().to_str().unwrap()), "{said}");
}

pub(crate) fn other_programs_are_no_compilers() {
    let said = refused(Compiler::child("/no/such/program".into()), &villain());
    assert_eq!(
        said,
        "host: cannot run the compiler /no/such/program: No such file or directory (os error 2); the component was not looked at, try again when this is mended"
    );
    let (_dir, silent) = script("exit 0");
    assert_eq!(
        refused(silent, &villain()),
        "host: the program that is to compile is no compiler; the component was not looked at, try again when this is mended"
    );
    let (_dir, liar) = script("cat >/dev/null; echo tenter-code-2; echo filtered; echo code");
    assert_eq!(
        refused(liar, &villain()),
        "host: the compiler wrote something that is not the code of a component; is the program on disk another one than runs here? Restart the server"
    );
    let (_dir, chatty) = script("while :; do echo words and words >&2; done");
    let said = refused(chatty, &villain());
    assert!(said.len() < 3000 && said.starts_with("compile: the compiler ended with signal: 13"), "{said}");
    let (_dir, slow) = script("exec sleep 1000");
    let Compiler::Child { program, limits } = slow else { panic!("a child") };
    let limits = CompileLimits { wall: Duration::from_millis(50), ..limits };
    let said = refused(Compiler::Child { program, limits }, &villain());
    assert!(said.starts_with("compile-limit: the component is too dear: compiling it takes longer than 0 s"), "{said}");
}
