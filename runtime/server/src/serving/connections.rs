//! Accepting connections and serving HTTP/1.1 and HTTP/2 on them, both in clear text.
//!
//! HTTP/2 is spoken with who begins so (prior knowledge). Each connection is one task that serves and looks at its client
//! from time to time ([`super::patience`]). There is room for so many; when all is taken, the connection that has waited
//! longest for a request makes room for a new one, so that who merely holds connections keeps nobody out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, Version};
use http_body::Body as HttpBody;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tenter_model::config::Http;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use tower::{Service, ServiceExt as _};

use super::pace::{Sent, Socket, Told, Traffic};
use super::patience::{Patience, Watch};
use super::tally::{End, Tally};
use crate::api;

/// Streams of one HTTP/2 connection at once.
const STREAMS: u32 = 100;
/// Pause after the system refused to give a connection.
const PAUSE: Duration = Duration::from_millis(50);
/// How long somebody may take to read that there is no room.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is said when there is no room.
const NO_ROOM: &str = r#"{"detail":"all connections of this server are in use; try again"}"#;

/// Serves until `stop` is done, then lets requests under way finish.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    http: Http,
    tally: Arc<Tally>,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    let house = Arc::new(House { members: Mutex::default(), next: AtomicU64::new(0), opened: Instant::now(), tally });
    let host = Host { router, http, patience: Patience::of(&http), house };
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => host.welcome(stream, peer, stopped.clone()),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                // Out of file descriptors, most likely: someone has to go before anyone can come.
                tracing::warn!("cannot accept a connection: {error}");
                host.house.make_room();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, stopped));
    // An error means that nobody is left to hear it.
    let _nobody = stopping.send(true);
    stopping.closed().await;
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What connections share.
struct Host {
    router: Router,
    http: Http,
    patience: Patience,
    house: Arc<House>,
}

impl Host {
    fn welcome(&self, stream: TcpStream, peer: SocketAddr, mut stopped: watch::Receiver<bool>) {
        let most = usize::try_from(self.http.max_connections).unwrap_or(usize::MAX);
        if self.house.len() >= most && !self.house.make_room() {
            self.house.tally.ended(End::Full);
            tokio::spawn(turn_away(stream));
            return;
        }
        // Answers are small and written whole; waiting for more of them costs time and saves nothing.
        let _without = stream.set_nodelay(true);
        let member = self.house.enter();
        let service = Watched {
            router: self.router.clone(),
            peer,
            traffic: Arc::clone(&member.traffic),
            progress: self.patience.progress,
            tally: Arc::clone(&self.house.tally),
        };
        let builder = builder(&self.http);
        let patience = self.patience;
        tokio::spawn(async move {
            let io = TokioIo::new(Socket { stream, traffic: Arc::clone(&member.traffic) });
            let mut serving = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
            let mut watch = Watch::new(patience, Instant::now());
            let mut looks = tokio::time::interval(patience.interval());
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut ending = false;
            loop {
                tokio::select! {
                    // How a connection ends is its client's business.
                    _ended = serving.as_mut() => break,
                    () = member.leave.notified() => break,
                    _stops = stopped.changed(), if !ending => {
                        if member.traffic.seen().waits() {
                            break;
                        }
                        ending = true;
                        serving.as_mut().graceful_shutdown();
                    }
                    _time = looks.tick() => {
                        if let Some(end) = watch.look(member.traffic.seen(), Instant::now()) {
                            member.house.tally.ended(end);
                            break;
                        }
                        member.waits_since(watch.since());
                    }
                }
            }
        });
    }
}

/// Parsers with more room than the limits, so that what is a little too long is refused in words.
fn builder(http: &Http) -> Builder<TokioExecutor> {
    let room = usize::try_from(2 * (http.max_url_bytes + http.max_header_bytes)).unwrap_or(1 << 20).max(16 << 10);
    let headers = usize::try_from(2 * http.max_headers).unwrap_or(200);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(room).max_headers(headers);
    let list = u32::try_from(room).unwrap_or(u32::MAX);
    builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(list);
    builder
}

async fn turn_away(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{NO_ROOM}",
        NO_ROOM.len()
    );
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    // Whoever does not listen to this misses nothing.
    let _said = tokio::time::timeout(FAREWELL, said).await;
}

/// Who is here.
struct House {
    members: Mutex<BTreeMap<u64, Arc<Place>>>,
    next: AtomicU64,
    opened: Instant,
    tally: Arc<Tally>,
}

/// One connection as the others see it.
struct Place {
    traffic: Arc<Traffic>,
    leave: Notify,
    /// Since when it waits for a request, in milliseconds after the opening.
    since: AtomicU64,
}

/// A connection that is here; it leaves when this is dropped.
struct Member {
    house: Arc<House>,
    number: u64,
    place: Arc<Place>,
}

impl House {
    fn enter(self: &Arc<Self>) -> Member {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let since = AtomicU64::new(self.millis(Instant::now()));
        let place = Arc::new(Place { traffic: Arc::default(), leave: Notify::new(), since });
        self.locked(|members| members.insert(number, Arc::clone(&place)));
        self.tally.opened();
        Member { house: Arc::clone(self), number, place }
    }

    fn len(&self) -> usize {
        self.locked(|members| members.len())
    }

    /// Has the one that waits longest for a request leave. False when each is at one.
    fn make_room(&self) -> bool {
        let longest = self.locked(|members| {
            let (number, _) = members
                .iter()
                .filter(|(_, place)| place.traffic.seen().waits())
                .min_by_key(|(_, place)| place.since.load(Ordering::Relaxed))?;
            let number = *number;
            members.remove(&number)
        });
        longest.is_some_and(|place| {
            self.tally.ended(End::Room);
            place.leave.notify_one();
            true
        })
    }

    fn locked<T>(&self, act: impl FnOnce(&mut BTreeMap<u64, Arc<Place>>) -> T) -> T {
        act(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.opened).as_millis()).unwrap_or(u64::MAX)
    }
}

impl std::ops::Deref for Member {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Member {
    fn waits_since(&self, since: Instant) {
        self.place.since.store(self.house.millis(since), Ordering::Relaxed);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.house.locked(|members| members.remove(&self.number));
        self.house.tally.closed();
    }
}

/// The router with its requests counted and paced.
#[derive(Clone)]
struct Watched {
    router: Router,
    peer: SocketAddr,
    traffic: Arc<Traffic>,
    progress: Option<Duration>,
    tally: Arc<Tally>,
}

impl<B> Service<Request<B>> for Watched
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let open = self.traffic.begin(request.version() == Version::HTTP_2);
        let (router, peer, progress, tally) = (self.router.clone(), self.peer, self.progress, Arc::clone(&self.tally));
        Box::pin(async move {
            let shape = api::Shape::of(request.uri().path());
            let (mut parts, body) = request.into_parts();
            api::with_one_slash(&mut parts.uri);
            parts.extensions.insert(ConnectInfo(peer));
            let (body, fate) = Sent::new(Body::new(body), progress);
            let mut response = router.oneshot(Request::from_parts(parts, Body::new(body))).await?;
            fate.drain(progress).await;
            if fate.is_stalled() {
                tally.ended(End::Body);
                response = api::stalled(shape, progress.unwrap_or_default());
            }
            Ok(response.map(|body| Body::new(Told { body, open })))
        })
    }
}
