//! A server from start to stop, for `serve` and `demo`.
//!
//! Stopping goes in this order: no new connections, requests in flight finish, lanes finish and commit the task they are
//! at, the store is closed. What waits stays on disk and is taken up at the next start.

mod connections;
mod pace;
mod patience;
mod tally;

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tenter_model::config::Http;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api;
use crate::app::{App, Options};
use crate::error::{CliError, Kind};
use crate::token_file;

pub(crate) use tally::{End, Tally};

/// How long requests in flight may take to finish once the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Open files that are no connections: databases of readers, pipes of the compiler, the log.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;

/// A running server.
pub(crate) struct Serving {
    /// What it is made of.
    pub(crate) app: App,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Serving {
    /// Binds, opens everything and serves in the background. Leaves the operator's token where the command line of the
    /// same person finds it.
    ///
    /// # Errors
    /// When the address is taken, or what [`App::open`] says.
    pub(crate) fn start(options: Options) -> anyhow::Result<Self> {
        let serving = Self::start_with(options, api::router)?;
        let bound = serving.app.address();
        if let Some(path) = token_file::path_for(&bound.ip().to_string(), bound.port())
            && let Err(error) = token_file::write(&path, serving.app.operator_token())
        {
            tracing::warn!("cannot leave the token at {}: {error}; pass it with --token", path.display());
        }
        Ok(serving)
    }

    /// The same with routes of the caller's choice, and without leaving the token.
    ///
    /// # Errors
    /// As [`Serving::start`].
    pub(crate) fn start_with(options: Options, router: impl FnOnce(&App) -> Router) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(64)
            .enable_all()
            .build()
            .context("cannot start the HTTP threads")?;
        let address = options.listen;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(|error| {
            CliError::new(Kind::Conflict, format!("cannot listen on {address}: {error}"))
                .help("stop what listens there, or choose another address with --listen")
        })?;
        let bound = listener.local_addr()?;
        let app = App::open(options)?;
        app.set_bound(bound);
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router(&app);
        let stop_wish = async {
            // An error means that the sender is gone, which is a wish to stop as well.
            let _stop = stopped.await;
        };
        let http = Http { max_connections: room_for(app.http().max_connections), ..app.http() };
        let served = runtime.spawn(connections::serve(listener, router, http, app.tally(), stop_wish));
        runtime.spawn(app.clone().keep_count());
        Ok(Self { app, runtime, stop: Some(stop), served })
    }

    /// Runs something beside the server.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Listens for the wish to end from now on, so that one that comes before [`Serving::wait_for`] is not lost.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn listen_for_signals(&self) -> std::io::Result<Signals> {
        let _in_runtime = self.runtime.enter();
        Signals::listen()
    }

    /// Waits until the process is told to end. A second signal ends it at once.
    pub(crate) fn wait_for(&self, mut signals: Signals) {
        self.runtime.block_on(signals.next());
        self.runtime.spawn(async move {
            signals.next().await;
            std::process::exit(i32::from(Kind::Interrupted.code()));
        });
    }

    /// Stops in order.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when serving has ended by itself; the join below tells.
            let _ended = stop.send(());
        }
        let bound = self.app.address();
        if let Some(path) = token_file::path_for(&bound.ip().to_string(), bound.port()) {
            token_file::remove(&path, self.app.operator_token());
        }
        let served = self.runtime.block_on(async { tokio::time::timeout(GRACE, self.served).await });
        self.app.close();
        match served {
            Ok(joined) => joined.context("serving ended by a panic")?,
            Err(_) => tracing::warn!("requests were cut off after {} s", GRACE.as_secs()),
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// How many connections the system has room for, of those wished for: it counts files and connections together, and lets
/// a process have more than it begins with.
fn room_for(wished: u64) -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // Where it is refused, what there is must do.
        let _as_before = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
        let room = getrlimit(Resource::Nofile).current.map_or(wished, |files| files.saturating_sub(OTHER_FILES).max(8));
        if room < wished {
            tracing::warn!(
                "at most {room} connections, not {wished} as http.max_connections says, since the system allows so many \
                 open files; raise its limit (ulimit -n, LimitNOFILE)"
            );
        }
        room.min(wished)
    }
    #[cfg(not(unix))]
    wished
}

/// Wishes to end that come from the operating system.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on; needs a runtime around it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Ends at the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
