//! What a name of a host stands for, as the system sees it: its file of hosts, its servers, whatever it is set up with.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Look-ups of the system that may be under way. They cannot be given up, so those nobody waits for any more count too.
const MOST_PENDING: usize = 64;

/// Finds the addresses of a host.
pub(crate) trait Names: Send + Sync {
    /// All addresses, in the order in which they are to be tried.
    ///
    /// # Errors
    /// [`Unfound`].
    fn addresses(&self, host: &str, time: Duration) -> Result<Vec<IpAddr>, Unfound>;
}

/// Why there is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfound {
    /// There is no such host.
    NoSuchHost,
    /// No answer came in time.
    TimedOut,
}

/// The system's way.
#[derive(Default)]
pub(crate) struct System {
    pending: Arc<AtomicUsize>,
}

impl Names for System {
    fn addresses(&self, host: &str, time: Duration) -> Result<Vec<IpAddr>, Unfound> {
        if self.pending.fetch_add(1, Ordering::Relaxed) >= MOST_PENDING {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            return Err(Unfound::TimedOut);
        }
        let (found, answer) = mpsc::channel();
        let (host, pending) = (host.to_owned(), self.pending.clone());
        // The port is of no matter.
        let ask = move || {
            let addresses = (host.as_str(), 0).to_socket_addrs().map(|all| all.map(|a| a.ip()).collect::<Vec<_>>());
            pending.fetch_sub(1, Ordering::Relaxed);
            // Whoever asked may have stopped waiting.
            let _gone = found.send(addresses);
        };
        if std::thread::Builder::new().name("names".into()).spawn(ask).is_err() {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            return Err(Unfound::TimedOut);
        }
        match answer.recv_timeout(time) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(Unfound::NoSuchHost),
            Err(_) => Err(Unfound::TimedOut),
        }
    }
}
