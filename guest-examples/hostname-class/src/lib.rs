//! Tells what kind of machine a host name hints at.
//!
//! [`HostnameClass::classify`] is public so that the crate can be linked as any other and the hook called natively.

use serde::Deserialize;
use tenter_sdk::prelude::*;
use tenter_sdk::text;

/// The module, configured.
#[derive(Debug, Deserialize)]
pub struct HostnameClass {
    /// Type of the entities that have names.
    entity: String,
    /// Attributes with names.
    attributes: Vec<String>,
    /// Part of a name in lower case, and the class it hints at. The first that fits counts.
    rules: Vec<(String, String)>,
}

impl Module for HostnameClass {
    const TITLE: &'static str = "Classify hosts by name";

    fn parameters() -> Vec<Parameter> {
        let usual = r#"[
            ["dhcp", "dynamic"], ["dyn", "dynamic"], ["pool", "dynamic"], ["dsl", "access"], ["cable", "access"],
            ["mail", "mail"], ["smtp", "mail"], ["vpn", "vpn"], ["proxy", "proxy"], ["www", "web"]
        ]"#;
        vec![
            Parameter::new("string", "entity").title("Entity type").default_json("\"ip\""),
            Parameter::new("json", "attributes").title("Attributes with names").default_json(r#"["hostname"]"#),
            Parameter::new("json", "rules")
                .title("Rules")
                .description("A list of [part of a name in lower case, class]; the first that fits counts.")
                .default_json(usual),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let module: Self = config.parse()?;
        if let Some((part, _)) =
            module.rules.iter().find(|(part, _)| part.is_empty() || part.bytes().any(|b| b.is_ascii_uppercase()))
        {
            return Err(HookError::invalid(format_args!(
                "rules: {part:?} fits no name: expected a part of a name in lower case"
            )));
        }
        Ok(module)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        for attribute in &self.attributes {
            on.on_new_attribute(&self.entity, attribute, Self::classify).refresh(["class"]);
        }
        on.request("write-entities", format!("{}.class", self.entity));
    }
}

impl HostnameClass {
    /// The hook: the class that a name hints at, for the entity that has it; nothing for a name without a hint.
    pub fn classify(&mut self, host: &EntityRef, name: &Datapoint) -> Option<Task> {
        let name = name.value.as_str()?.to_ascii_lowercase();
        let (_, class) = self.rules.iter().find(|(part, _)| text::contains(&name, part))?;
        Some(Task::on(host.clone()).plain("class", class))
    }
}

tenter_sdk::export!(HostnameClass: ingest);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    #[test]
    fn the_first_rule_that_fits_counts() {
        let mut module = Harness::<HostnameClass>::new(json!({})).unwrap();
        for (name, class) in
            [("Mail-3.Example.org", "mail"), ("dyn-mail.example.org", "dynamic"), ("www.example.org", "web")]
        {
            let tasks = module.on_new_attribute(("ip", "192.0.2.1"), Datapoint::plain("hostname", name)).unwrap();
            expect_tasks(&tasks, json!([{"eid": "192.0.2.1", "data_points": [{"attr": "class", "v": class}]}]));
        }
        let none = module.on_new_attribute(("ip", "192.0.2.1"), Datapoint::plain("hostname", "a.example"));
        assert_eq!(none, Ok(vec![]));
        let number = module.on_new_attribute(("ip", "192.0.2.1"), Datapoint::plain("hostname", 7));
        assert_eq!(number, Ok(vec![]));
    }

    #[test]
    fn the_configuration_decides() {
        let config = json!({"entity": "host", "attributes": ["a", "b"], "rules": [["x", "y"]]});
        let mut module = Harness::<HostnameClass>::new(config).unwrap();
        let tasks = module.on_new_attribute(("host", "h"), Datapoint::plain("b", "aXa")).unwrap();
        expect_tasks(&tasks, json!([{"data_points": [{"attr": "class", "v": "y"}]}]));
        let wrong = Harness::<HostnameClass>::new(json!({"rules": [["WWW", "web"]]})).err().unwrap();
        assert_eq!(wrong.message(), "rules: \"WWW\" fits no name: expected a part of a name in lower case");
    }
}
