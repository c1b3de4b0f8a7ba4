//! Works out the mean traffic of a connection from the whole history of a timeseries, before a snapshot is made of it.

use tenter_sdk::prelude::*;

struct MeanTraffic;

impl Module for MeanTraffic {
    const TITLE: &'static str = "Mean traffic of a connection";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.timeseries("ip", "activity", Self::mean);
        on.request("write-entities", "ip.mean_bytes");
    }
}

impl MeanTraffic {
    /// The datapoint enters the run at hand too, so that the snapshot and correlation hooks have it at once.
    fn mean(&mut self, ip: &EntityRef, _: &str, history: &[Chunk]) -> Option<Task> {
        let mut sum = 0.0;
        let mut connections = 0usize;
        for chunk in history {
            let sent = chunk.series("bytes_sent")?.to_f64();
            let received = chunk.series("bytes_received")?.to_f64();
            sum += sent.iter().zip(&received).map(|(sent, received)| sent + received).sum::<f64>();
            connections += sent.len();
        }
        // More connections than a float counts exactly do not fit into a call.
        let connections = u32::try_from(connections).ok().filter(|n| *n > 0)?;
        Some(Task::on(ip.clone()).plain("mean_bytes", sum / f64::from(connections)))
    }
}

tenter_sdk::export!(MeanTraffic: snapshot);

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_sdk::testing::{Harness, expect_tasks, json};

    fn chunk(sent: &[i64], received: &[i64]) -> Chunk {
        let columns = vec![
            Series::integers("bytes_sent", sent.iter().copied()),
            Series::integers("bytes_received", received.iter().copied()),
        ];
        Chunk { t1: 0, t2: 1, columns }
    }

    #[test]
    fn the_mean_is_over_all_chunks() {
        let mut mean = Harness::<MeanTraffic>::new(json!({})).unwrap();
        let history = [chunk(&[10, 20], &[0, 30]), chunk(&[60], &[0])];
        let tasks = mean.timeseries(("ip", "192.0.2.1"), "activity", &history).unwrap();
        expect_tasks(&tasks, json!([{"eid": "192.0.2.1", "data_points": [{"attr": "mean_bytes", "v": 40}]}]));
    }

    #[test]
    fn of_nothing_there_is_no_mean() {
        let mut mean = Harness::<MeanTraffic>::new(json!({})).unwrap();
        for history in [vec![], vec![chunk(&[], &[])], vec![Chunk { t1: 0, t2: 1, columns: vec![] }]] {
            assert_eq!(mean.timeseries(("ip", "192.0.2.1"), "activity", &history), Ok(vec![]));
        }
    }
}
