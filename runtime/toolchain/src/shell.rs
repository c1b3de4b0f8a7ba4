//! Running programs, so that the author sees what ran.

use std::fmt;
use std::process::{Command, Output, Stdio};

use crate::error::{BuildError, Kind, Result};

/// Lines of a program's output that an error repeats.
const TAIL: usize = 40;

/// Runs programs and tells which.
pub struct Shell<'a> {
    say: &'a dyn Fn(&str),
}

impl fmt::Debug for Shell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shell")
    }
}

impl<'a> Shell<'a> {
    /// One that tells each command line to `say` before it runs.
    #[must_use]
    pub fn new(say: &'a dyn Fn(&str)) -> Self {
        Self { say }
    }

    /// Tells something.
    pub fn say(&self, text: &str) {
        (self.say)(text);
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it does not start, or fails: then with the end of what it printed.
    pub(crate) fn run(&self, command: &mut Command, wrong: &str) -> Result<Output> {
        self.say(&format!("$ {}", shown(command)));
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|e| BuildError::new(Kind::Machine, format!("cannot run {program}: {e}")))?;
        if output.status.success() {
            return Ok(output);
        }
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
        let lines: Vec<&str> = printed.lines().filter(|l| !l.trim().is_empty()).collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n");
        Err(BuildError::new(Kind::Code, format!("{wrong} ({})\n{tail}", output.status)))
    }
}

/// A command line as one would type it in its folder, its program by name alone.
fn shown(command: &Command) -> String {
    let folder = command.get_current_dir().map(|dir| format!("{}/", dir.display())).unwrap_or_default();
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let mut text = argument.to_string_lossy().into_owned();
        if !folder.is_empty() {
            text = text.replace(&folder, "");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
        line.push(' ');
        if !text.is_empty() && text.chars().all(plain) {
            line.push_str(&text);
        } else {
            line.push_str(&format!("'{}'", text.replace('\'', r"'\''")));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn it_says_what_it_runs_and_how_it_failed() {
        let said = RefCell::new(String::new());
        let say = |text: &str| said.borrow_mut().push_str(text);
        let shell = Shell::new(&say);
        let error = shell
            .run(Command::new("/bin/sh").args(["-c", "echo one; echo two >&2; exit 3"]), "the module does not build")
            .unwrap_err();
        assert_eq!(*said.borrow(), "$ sh -c 'echo one; echo two >&2; exit 3'");
        insta::assert_snapshot!(error.message, @r#"
    the module does not build (exit status: 3)
    one
    two
    "#);
        let mut inside = Command::new("/bin/true");
        assert_eq!(shown(inside.current_dir("/a").args(["-I/a/b", "/a", "c d"])), "true -Ib /a 'c d'");
        let error = shell.run(&mut Command::new("/nowhere/x"), "").unwrap_err();
        assert_eq!((error.kind, error.message.contains("cannot run /nowhere/x")), (Kind::Machine, true));
    }
}
