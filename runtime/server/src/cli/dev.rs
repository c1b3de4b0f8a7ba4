//! `tenter dev`: what an author does after each save, done by itself: build, test, upload into a running server.
//!
//! The folder is looked at a few times a second by names, sizes and times of files, which every system and every
//! editor gives; a module has few files. What a build writes is not looked at. A step that fails is shown, the steps
//! after it are left out, and the next save begins anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{Context, build, module, test};
use crate::error::{self, CliError, Kind};

mod files;

use files::Files;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the module.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Build and test alone; no server is needed.
    #[arg(long)]
    no_upload: bool,
    /// Grant whatever the module asks for.
    #[arg(long)]
    grant_requested: bool,
}

/// Works until it is interrupted.
///
/// # Errors
/// When there is no such folder.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if !args.dir.is_dir() {
        return Err(CliError::new(Kind::NotFound, format!("there is no folder {}", args.dir.display())).into());
    }
    let mut author = Author { args, context, uploaded: None };
    watch(&mut author);
    Ok(())
}

/// What the loop does and sees.
trait World {
    /// The files as they are.
    fn look(&mut self) -> Files;
    /// Waits a moment; false when it is to end.
    fn wait(&mut self) -> bool;
    /// Builds, tests and uploads; what came of it is shown.
    fn work(&mut self);
    /// These files have changed.
    fn changed(&mut self, names: &[PathBuf]);
}

/// Works once, and again after each change, when the files have come to rest. What changes while it works counts.
fn watch(world: &mut impl World) {
    let mut worked_on = world.look();
    world.work();
    while world.wait() {
        let mut seen = world.look();
        if seen == worked_on {
            continue;
        }
        loop {
            if !world.wait() {
                return;
            }
            let next = world.look();
            if next == seen {
                break;
            }
            seen = next;
        }
        world.changed(&seen.differing(&worked_on));
        worked_on = seen;
        world.work();
    }
}

/// The real world.
struct Author<'a> {
    args: &'a Args,
    context: &'a Context,
    /// What the server has got already.
    uploaded: Option<Vec<u8>>,
}

impl World for Author<'_> {
    fn look(&mut self) -> Files {
        Files::of(&self.args.dir)
    }

    fn wait(&mut self) -> bool {
        std::thread::sleep(EVERY);
        true
    }

    fn work(&mut self) {
        if let Err(error) = self.steps() {
            // Prints it; the exit code is for when something ends.
            let _ = error::report(&error);
        }
        self.context.out.note(&format!("watching {}; Ctrl-C ends", self.args.dir.display()));
    }

    fn changed(&mut self, names: &[PathBuf]) {
        let shown = names.iter().take(3).map(|name| name.display().to_string()).collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(3);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        self.context.out.note(&format!("\nchanged: {shown}{more}"));
    }
}

impl Author<'_> {
    fn steps(&mut self) -> anyhow::Result<()> {
        let Context { out, .. } = self.context;
        out.note("building");
        let component = build::build_in(&self.args.dir, self.context)?;
        out.note("testing");
        test::test_built(&self.args.dir, &component, self.context)?;
        if !self.args.no_upload {
            self.upload(&component)?;
        }
        Ok(())
    }

    fn upload(&mut self, component: &Path) -> anyhow::Result<()> {
        let bytes = module::component::read(component)?;
        if self.uploaded.as_ref() == Some(&bytes) {
            self.context.out.note("the server has this component already");
            return Ok(());
        }
        self.context.out.note("uploading");
        module::upload(component, self.args.grant_requested, self.context)?;
        self.uploaded = Some(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files at each look, and what was done.
    struct Scripted {
        looks: std::vec::IntoIter<&'static [(&'static str, u64)]>,
        did: Vec<String>,
    }

    impl World for Scripted {
        fn look(&mut self) -> Files {
            Files::from_iter(self.looks.next().unwrap().iter().map(|(name, size)| (name.into(), *size)))
        }

        fn wait(&mut self) -> bool {
            self.looks.len() > 0
        }

        fn work(&mut self) {
            self.did.push("work".into());
        }

        fn changed(&mut self, names: &[PathBuf]) {
            self.did.push(format!("{names:?}"));
        }
    }

    fn did(looks: Vec<&'static [(&'static str, u64)]>) -> Vec<String> {
        let mut world = Scripted { looks: looks.into_iter(), did: Vec::new() };
        watch(&mut world);
        world.did
    }

    #[test]
    fn it_works_once_and_after_each_change_that_came_to_rest() {
        const A: &[(&str, u64)] = &[("a", 1)];
        const HALF: &[(&str, u64)] = &[("a", 2)];
        const WHOLE: &[(&str, u64)] = &[("a", 3), ("b", 1)];
        assert_eq!(did(vec![A, A, A]), ["work"]);
        assert_eq!(did(vec![A, A, HALF, WHOLE, WHOLE, WHOLE]), ["work", "[\"a\", \"b\"]", "work"]);
        // Removed again.
        assert_eq!(did(vec![WHOLE, A, A]), ["work", "[\"a\", \"b\"]", "work"]);
        // It ends while the files are still in motion.
        assert_eq!(did(vec![A, HALF]), ["work"]);
    }
}
