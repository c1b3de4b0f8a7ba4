use super::*;
use std::path::PathBuf;
use tenter_sdk::testing::{Harness, expect_tasks, host, json};

/// A folder with the list, removed in the end.
struct Lists(PathBuf);

impl Lists {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("reload-list-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, text: &str) {
        std::fs::write(self.0.join("programs.txt"), text).unwrap();
    }

    fn module(&self) -> Harness<ReloadList> {
        let module = Harness::new(json!({})).unwrap();
        host(|h| h.folders.insert("lists".into(), self.0.clone()));
        module
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn agent(text: &str) -> Datapoint {
    Datapoint::observation("user_agent", text, 1_000_000, 2_000_000).confidence(0.5)
}

#[test]
fn the_list_counts_until_it_is_reloaded() {
    let lists = Lists::new("reload");
    lists.write("# part, program\nFirefox/\tFirefox\nMozilla/\tsome browser\n");
    let mut module = lists.module();
    let ip = ("ip", "192.0.2.1");
    let named =
        |name: &str| json!([{"data_points": [{"attr": "program", "v": name, "t1": "1970-01-01T00:00:01Z", "c": 0.5}]}]);
    expect_tasks(&module.on_new_attribute(ip, agent("Mozilla/5.0 Firefox/3")).unwrap(), named("Firefox"));
    assert_eq!(module.on_new_attribute(ip, agent("curl/8")), Ok(vec![]));

    lists.write("curl/\tcurl\n");
    assert_eq!(module.on_new_attribute(ip, agent("curl/8")), Ok(vec![]), "nobody reloaded it yet");
    assert_eq!((module.cron("reload"), module.cron("load")), (Ok(vec![]), Ok(vec![])));
    expect_tasks(&module.on_new_attribute(ip, agent("curl/8")).unwrap(), named("curl"));
    assert_eq!(module.on_new_attribute(ip, agent("Mozilla/5.0")), Ok(vec![]));
}

#[test]
fn a_bad_list_does_not_replace_a_good_one() {
    let lists = Lists::new("bad");
    lists.write("curl/\tcurl\n");
    let mut module = lists.module();
    module.cron("reload").unwrap();
    lists.write("curl curl\n");
    let error = module.cron("reload").unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid input: programs.txt: expected a part of a user agent, a tab and a program, found \"curl curl\""
    );
    assert_eq!(module.on_new_attribute(("ip", "192.0.2.1"), agent("curl/8")).map(|t| t.len()), Ok(1));
}

#[test]
fn without_the_grant_the_error_says_what_to_do() {
    let mut module = Harness::<ReloadList>::new(json!({})).unwrap();
    let error = module.cron("reload").unwrap_err();
    assert!(error.message().contains("ask with `on.request(\"files\", \"lists\")`"), "{error}");
}
