//! What a process is started for. The program of the tests starts itself again and tells by a variable what to do.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::{check, load};

const VARIABLE: &str = "TENTER_CRASH_JOB";

/// The work of one process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    /// Send until the standard input closes.
    Load { port: u16, ledger: PathBuf },
    /// Wait until the queues are empty, then compare the ledger with what the server has.
    Check { port: u16, ledger: PathBuf, report: PathBuf },
}

impl Job {
    /// What this process was started for, if by a test.
    pub(crate) fn given() -> Option<Self> {
        std::env::var(VARIABLE).ok().map(|text| serde_json::from_str(&text).unwrap())
    }

    /// Does it.
    pub(crate) fn run(self) {
        match self {
            Self::Load { port, ledger } => load::run(port, &ledger),
            Self::Check { port, ledger, report } => {
                std::fs::write(report, serde_json::to_vec(&check::run(port, &ledger)).unwrap()).unwrap();
            }
        }
    }

    /// Starts a process for it.
    pub(crate) fn start(&self) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "process", "--nocapture", "--quiet"])
            .env(VARIABLE, serde_json::to_string(self).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }
}
