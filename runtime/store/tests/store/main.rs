//! The promises of the store, each with a test that can fail, through its public interface alone: another database
//! behind the same interface would have to pass them too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests may fail loudly too")]

mod admit;
mod audit;
mod backup;
mod blobs;
mod bounds;
mod careful;
mod case_jobs;
mod cases;
mod chores;
mod commit;
mod damage;
mod deletes;
mod documents;
mod files;
mod fixtures;
mod invocations;
mod jobs;
mod keys;
mod machine;
mod migration;
mod modules;
mod opening;
mod points;
mod prune;
mod reading;
mod runs;
mod runs_machine;
mod scans;
mod script;
mod state;
