//! Names the program behind a user agent by a list in a folder, and reloads the list every ten minutes: whoever keeps
//! the list up to date need not touch the module.
//!
//! The cron hook runs in every lane, in the instance that serves the other hooks of that lane, so what it leaves in
//! memory is there for them. An instance that was replaced loads the list when it first needs it.

use serde::Deserialize;
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct Settings {
    folder: String,
    file: String,
}

struct ReloadList {
    settings: Settings,
    /// Part of a user agent, and the program it stands for; the first that fits counts.
    programs: Option<Vec<(String, String)>>,
}

impl Module for ReloadList {
    const TITLE: &'static str = "Name programs by a list that is reloaded";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("string", "folder").title("Folder with lists").default_json("\"lists\""),
            Parameter::new("string", "file")
                .title("File in the folder")
                .description("Lines of: part of a user agent, tab, program. The first that fits counts.")
                .default_json("\"programs.txt\""),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        Ok(Self { settings: config.parse()?, programs: None })
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.once_at_start(|m, _| m.reload()).id("load");
        on.cron(Cron::new().minute("*/10"), |m, _| m.reload()).id("reload");
        on.on_new_attribute("ip", "user_agent", Self::name);
        on.request("files", &self.settings.folder);
        on.request("write-entities", "ip.program");
    }
}

impl ReloadList {
    fn reload(&mut self) -> Result<()> {
        let text = files::read_text(&self.settings.folder, &self.settings.file)?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let programs = lines
            .map(|line| match line.split_once('\t') {
                Some((part, program)) => Ok((part.to_owned(), program.to_owned())),
                None => Err(HookError::invalid(format_args!(
                    "{}: expected a part of a user agent, a tab and a program, found {line:?}",
                    self.settings.file
                ))),
            })
            .collect::<Result<Vec<_>>>()?;
        // Only a list that is right as a whole replaces the one before.
        log::info!("{} programs", programs.len());
        self.programs = Some(programs);
        Ok(())
    }

    fn name(&mut self, ip: &EntityRef, agent: &Datapoint) -> Result<Option<Task>> {
        if self.programs.is_none() {
            self.reload()?;
        }
        let text = agent.value.as_str().unwrap_or_default();
        let program = self.programs.iter().flatten().find(|(part, _)| text.contains(part.as_str()));
        Ok(program.map(|(_, program)| Task::on(ip.clone()).alongside("program", program, agent)))
    }
}

tenter_sdk::export!(ReloadList: ingest, schedule);

#[cfg(test)]
mod tests;
