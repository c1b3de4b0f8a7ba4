//! IRIS's official Python client, unchanged, with the tests that its package has, against a running server.
//!
//! The tests are run from the installed package and are no part of this repository; beside them stand only an `.env` with
//! the key of this server and a template for a report, which the package lacks. `iris_client/failing.json` says which tests
//! fail and why: a test that fails and is not there breaks the build, and so does one that is there and passes.
//!
//! Some of these tests want an error and would be content with a server that does nothing else. The control counts them,
//! against a server that refuses everything but the greeting.
//!
//! Without Python or the registry of its packages there is nothing to run: the test says so and passes, unless
//! `TENTER_REQUIRE` names `python`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::{Server, Site, example, tenter, wait_for};

/// What is installed, each of one version: a test that fails tells of this repository and not of the world.
const PACKAGES: [&str; 3] = ["dfir-iris-client==2.0.4", "pytest==9.2.0", "python-dotenv==1.2.4"];
/// The suites: objects of cases, and look-up tables.
const SUITES: [&str; 12] = [
    "test_case",
    "test_alert_status",
    "test_analysis_status",
    "test_asset_type",
    "test_case_classifications",
    "test_compromise_status",
    "test_customer",
    "test_event_categories",
    "test_global_search",
    "test_ioc_types",
    "test_task_status",
    "test_tlps",
];
/// Tests in these suites.
const TESTS: usize = 137;
/// The suites about people, groups and what they may see, of which no number is asked for.
const ABOUT_PEOPLE: [&str; 2] = ["test_admin.py", "test_authorization.py::AuthorizationTest"];
/// Tests in those.
const OTHERS: usize = 44;
/// Of those, how many must pass at least, and how many of them that a server that only refuses does not pass.
const GOAL: (usize, usize) = (136, 114);

/// Outcomes by `file::class::test`; true: passed.
type Outcomes = BTreeMap<String, bool>;

#[test]
fn the_official_client_passes_its_own_tests() {
    let python = match installed() {
        Ok(python) => python,
        Err(why) => return skipped("the_official_client_passes_its_own_tests", &why),
    };
    let server = Server::start(&Site::new());
    // One indicator and one note, which the search of the client expects to find.
    let seeded = |path: &str, body: Value| server.post(path, &body).expect(200)["data"].clone();
    let directory = seeded("/case/notes/directories/add", json!({"name": "Seed", "cid": 1}))["id"].clone();
    let note = json!({"note_title": "Seed", "note_content": "seed", "directory_id": directory, "cid": 1});
    seeded("/case/notes/add", note);
    let ioc = json!({"ioc_value": "192.0.2.1", "ioc_type_id": 1, "ioc_tlp_id": 2, "ioc_description": "seed", "cid": 1});
    seeded("/case/ioc/add", ioc);
    let control = refuser();
    let token = server.token.clone().unwrap();
    let (ours, theirs) = std::thread::scope(|scope| {
        let control = scope.spawn(|| run(&python, &control, "any"));
        (run(&python, &server.url, &token), control.join().unwrap())
    });
    let (ours, report) = ours;
    let (theirs, control_report) = theirs;
    let all = TESTS + OTHERS;
    assert_eq!((ours.len(), theirs.len()), (all, all), "{report}\n{control_report}");
    let other = |name: &String| ABOUT_PEOPLE.iter().any(|suite| name.starts_with(suite));
    let passed = |outcomes: &Outcomes| -> BTreeSet<String> {
        outcomes.iter().filter(|(_, passed)| **passed).map(|(name, _)| name.clone()).collect()
    };
    let (good, idle) = (passed(&ours), passed(&theirs));
    let known: BTreeMap<String, String> = serde_json::from_str(&read("failing.json")).unwrap();
    assert!(known.values().all(|reason| reason.len() > 20), "each test that fails needs a reason");
    let known: BTreeSet<String> = known.into_keys().collect();
    let found: BTreeSet<String> = ours.keys().filter(|name| !good.contains(*name)).cloned().collect();
    let lost: Vec<_> = found.difference(&known).collect();
    assert!(lost.is_empty(), "these fail and are not in failing.json: {lost:#?}\n{report}");
    let gained: Vec<_> = known.difference(&found).collect();
    assert!(gained.is_empty(), "these pass now; take them out of failing.json: {gained:#?}");
    let (others, good): (BTreeSet<_>, BTreeSet<_>) = good.into_iter().partition(other);
    let idle: BTreeSet<_> = idle.into_iter().filter(|name| !other(name)).collect();
    let idly = good.intersection(&idle).count();
    notice(&format!(
        "{} of {TESTS} tests of the official client pass; {} pass against a server that only refuses, {idly} of them here \
         too; of those about people {} of {OTHERS} pass",
        good.len(),
        idle.len(),
        others.len()
    ));
    let earned = good.len() - idly;
    assert!(good.len() >= GOAL.0 && earned >= GOAL.1, "{} pass, {earned} of them need a server that works", good.len());
}

/// The story of `docs/cases.md`: its program is run as it stands there, and says what stands there.
#[test]
fn the_story_of_the_documentation_works_as_typed() {
    let python = match installed() {
        Ok(python) => python,
        Err(why) => return skipped("the_story_of_the_documentation_works_as_typed", &why),
    };
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cases.md")).unwrap();
    let block = |begin: &str, end: &str| {
        let (_, rest) = page.split_once(begin).unwrap_or_else(|| panic!("{begin:?} is not in docs/cases.md"));
        rest.split_once(end).unwrap().0.to_owned()
    };
    let attributes = block("ip.yml <<'END'\n", "END\n");
    let home = tempfile::tempdir().unwrap();
    assert!(tenter(home.path()).args(["init", "site", "--quiet"]).status().unwrap().success());
    let types = home.path().join("site/db_entities/ip.yml");
    std::fs::write(&types, std::fs::read_to_string(&types).unwrap() + &attributes).unwrap();
    let server = Server::start(&Site::of_folder(&home.path().join("site")));
    for module in ["case-rules", "ioc-profile"] {
        let upload = format!("/api/v1/modules/{module}?grant_requested=true");
        server.send("PUT", &upload, &example(module), &[("content-type", "application/wasm")]).expect(200);
    }
    let datapoints = block("echo '", "' |");
    server.post_datapoints(&serde_json::from_str(&datapoints).unwrap());
    server.settle();
    std::fs::write(home.path().join("story.py"), block("```python\n", "```")).unwrap();
    let made = server.post("/api/v1/tokens", &json!({"role": "analyst", "user": "administrator"})).expect(200);
    let output = Command::new(&python)
        .arg("story.py")
        .current_dir(home.path())
        .env("IRIS_KEY", made["token"].as_str().unwrap())
        .env("IRIS_URL", &server.url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, block("```text\n", "```"), "{}", String::from_utf8_lossy(&output.stderr));
    let told = block("$ tenter ioc show 1 --case 2\n", "```");
    let mut shown = String::new();
    wait_for("what modules did", || {
        let mut command = tenter(home.path());
        command.args(["--url", &server.url, "--token", server.token.as_deref().unwrap()]);
        let output = command.args(["ioc", "show", "1", "--case", "2"]).output().unwrap();
        shown = String::from_utf8_lossy(&output.stdout).into_owned();
        shown.contains("Profile")
    });
    // The click may come before the address knows its case.
    let without = |text: &str| text.replace("<li>in_case = #2 - Beacons</li>", "");
    assert_eq!(without(&shown), without(&told));
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/iris_client").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[allow(clippy::disallowed_methods, reason = "what a test must have comes from the environment")]
fn skipped(test: &str, why: &str) {
    let required = std::env::var("TENTER_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == "python"), "TENTER_REQUIRE names python: {why}");
    notice(&format!("SKIPPED {test}: {why}"));
}

/// Says something that is seen though the test passes, which what is printed is not.
fn notice(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// The Python of an environment that has the packages. It is made once and stays beside what the tests built.
fn installed() -> Result<PathBuf, String> {
    static ONCE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    ONCE.get_or_init(install).clone()
}

fn install() -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("iris-client");
    let (python, mark) = (place.join("bin/python"), place.join("installed"));
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&mark).is_ok_and(|text| text == wanted) && python.exists() {
        return Ok(python);
    }
    done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    // Where there is no way to the registry, that is known soon.
    let patience = ["--retries", "1", "--timeout", "20"];
    done(Command::new(&python).args(install).args(patience).args(PACKAGES))?;
    std::fs::write(&mark, wanted).unwrap();
    Ok(python)
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}: {said}", output.status)) }
}

/// Runs the suites against a server, from a copy of the package, since the tests look for the key among their own files.
fn run(python: &Path, url: &str, token: &str) -> (Outcomes, String) {
    let home = tempfile::tempdir().unwrap();
    let places = "import dfir_iris_client as c; print(c.__path__[0])";
    let found = Command::new(python).args(["-c", places]).current_dir(home.path()).output().unwrap();
    let from = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
    let package = home.path().join("dfir_iris_client");
    copy(&from, &package);
    let tests = package.join("tests");
    std::fs::create_dir_all(tests.join("resources")).unwrap();
    std::fs::write(tests.join("resources/.env"), format!("IRIS_ADM_API_KEY={token}\n")).unwrap();
    std::fs::write(tests.join("resources/test_report.md"), "# {{ case.name }}\n\n{{ case.description }}\n").unwrap();
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-rpfEs", "--tb=short", "--no-header", "-p", "no:cacheprovider"])
        .args(SUITES.map(|suite| format!("dfir_iris_client/tests/{suite}.py")))
        .args(ABOUT_PEOPLE.map(|suite| format!("dfir_iris_client/tests/{suite}")))
        .current_dir(home.path())
        .env("PYTHONPATH", home.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", home.path())
        .env("IRIS_URL", url)
        .env("IRIS_ADM_EMAIL", "administrator@localhost")
        .env_remove("IRIS_ADM_API_KEY")
        .env_remove("TEST_WITH_DOCKER")
        .output()
        .unwrap();
    let report = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let outcome = |line: &str| {
        let (word, rest) = line.split_once(' ')?;
        let passed = ["FAILED", "ERROR", "PASSED"].iter().position(|known| *known == word)? == 2;
        let name = rest.split(" - ").next()?.trim().strip_prefix("dfir_iris_client/tests/")?;
        Some((name.to_owned(), passed))
    };
    (report.lines().filter_map(outcome).collect(), report)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A server that greets as IRIS does and refuses all else, on a thread that ends with the test.
fn refuser() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client may go away in the middle.
            std::thread::spawn(move || refuse(&stream).unwrap_or_default());
        }
    });
    url
}

fn refuse(stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(n) = line.strip_prefix("content-length: ") {
            length = n.parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let (status, told) = if first.contains("/api/ping") {
        (200, json!({"status": "success", "message": "pong", "data": []}))
    } else if first.contains("/api/versions") {
        let data = json!({"iris_current": "v2.4.20", "api_min": "2.0.4", "api_current": "2.0.5"});
        (200, json!({"status": "success", "message": "", "data": data}))
    } else {
        (400, json!({"status": "error", "message": "No", "data": []}))
    };
    let text = told.to_string();
    let head = "content-type: application/json\r\nconnection: close";
    (&*stream)
        .write_all(format!("HTTP/1.1 {status} -\r\n{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len()).as_bytes())
}
