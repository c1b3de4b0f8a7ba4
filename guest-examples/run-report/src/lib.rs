//! Counts what a snapshot run saw, and reports it at the end of the run.
//!
//! A run has a beginning and an end in each lane, and a lane has its own instance of the module: what `begin` sets, the
//! hooks of that lane find, and `end` reports the lane's share. An instance that is replaced in the middle of a run gets
//! `snapshot-init` again and counts from there.

use tenter_sdk::prelude::*;

#[derive(Default)]
struct RunReport {
    addresses: i64,
    risky: i64,
}

impl Module for RunReport {
    const TITLE: &'static str = "Report of a snapshot run";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self::default())
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.snapshot_init(Self::begin);
        on.correlate("ip", ["risk"], NO_PATHS, Self::count);
        on.snapshot_finalize(Self::end);
        on.request("write-entities", "report");
    }
}

impl RunReport {
    fn begin(&mut self, run: &Run) -> Task {
        *self = Self::default();
        Task::of("report", "snapshots").plain("begun", run.at())
    }

    fn count(&mut self, view: &View) {
        self.addresses += 1;
        self.risky += i64::from(view.value::<f64>("risk").is_some_and(|risk| risk >= 0.5));
    }

    /// One row for each lane; their sum is the run's.
    fn end(&mut self, run: &Run) -> Task {
        let row = vec![
            Series::times("time", [run.at()]),
            Series::integers("addresses", [self.addresses]),
            Series::integers("risky", [self.risky]),
        ];
        Task::of("report", "snapshots").plain("ended", run.at()).timeseries("lanes", run.at(), run.at(), row)
    }
}

tenter_sdk::export!(RunReport: snapshot);

#[cfg(test)]
mod tests;
