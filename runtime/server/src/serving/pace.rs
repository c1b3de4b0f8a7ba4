//! Bodies and sockets that tell how they get on.
//!
//! A [`Socket`] counts what passes and knows when the system takes no more. A [`Sent`] body is a request's: when too little
//! of it comes for too long, it ends with an error, which the handler sees as a body that cannot be read; what the handler
//! leaves is read to its end before the answer goes. A [`Told`] body is
//! an answer's: it knows whether its next part is the server's to make or the client's to take.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tenter_model::limits::MAX_UPLOAD_BYTES;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::patience::{LEAST_BYTES, Seen};

/// What happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    read: AtomicU64,
    written: AtomicU64,
    requests: AtomicU64,
    open: AtomicU64,
    /// Answers whose next part waits for the client.
    unread: AtomicU64,
    /// Whether the system takes no more for now.
    blocked: AtomicBool,
    multiplexed: AtomicBool,
}

impl Traffic {
    /// All of it until now.
    pub(super) fn seen(&self) -> Seen {
        let n = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Seen {
            read: n(&self.read),
            written: n(&self.written),
            requests: n(&self.requests),
            open: n(&self.open),
            owed: n(&self.unread) > 0 || self.blocked.load(Ordering::Relaxed),
            multiplexed: self.multiplexed.load(Ordering::Relaxed),
        }
    }

    /// Begins a request, which lasts as long as what is returned.
    pub(super) fn begin(self: &Arc<Self>, multiplexed: bool) -> Open {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        Open { traffic: Arc::clone(self), unread: false }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Open {
    traffic: Arc<Traffic>,
    unread: bool,
}

impl Open {
    fn wait_for_client(&mut self, wait: bool) {
        if wait && !self.unread {
            self.traffic.unread.fetch_add(1, Ordering::Relaxed);
        } else if !wait && self.unread {
            self.traffic.unread.fetch_sub(1, Ordering::Relaxed);
        }
        self.unread = wait;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.wait_for_client(false);
        self.traffic.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that counts.
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) traffic: Arc<Traffic>,
}

impl Socket {
    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(n)) = result {
            self.traffic.written.fetch_add(*n as u64, Ordering::Relaxed);
        }
        self.traffic.blocked.store(result.is_pending(), Ordering::Relaxed);
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.traffic.read.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
#[error("the rest of the body did not come in time")]
struct Stalled;

/// The body of a request.
pub(super) struct Sent {
    body: Option<Body>,
    limit: Option<Duration>,
    /// Runs while something is waited for, until enough has come.
    wait: Option<Pin<Box<Sleep>>>,
    got: u64,
    fate: Arc<Fate>,
}

/// What became of the body of a request.
#[derive(Debug, Default)]
pub(super) struct Fate {
    stalled: AtomicBool,
    /// What its handler left unread.
    rest: Mutex<Option<Body>>,
}

impl Fate {
    /// Whether it was given up.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Reads what was left and forgets it, as far as it is no more than an upload. A connection that is closed on unread
    /// data is reset, and the sender would learn that it was, but not why.
    pub(super) async fn drain(&self, limit: Option<Duration>) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(rest) = rest else { return };
        let (mut rest, _fate) = Sent::new(rest, limit);
        let mut room = MAX_UPLOAD_BYTES;
        while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await {
            match room.checked_sub(frame.data_ref().map_or(0, |data| data.len())) {
                Some(less) => room = less,
                None => return,
            }
        }
    }
}

impl Sent {
    /// A body, and what becomes of it.
    pub(super) fn new(body: Body, limit: Option<Duration>) -> (Self, Arc<Fate>) {
        let fate = Arc::new(Fate::default());
        (Self { body: Some(body), limit, wait: None, got: 0, fate: Arc::clone(&fate) }, fate)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream())
            && !self.fate.is_stalled()
        {
            *self.fate.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(None) => {
                this.body = None;
                Poll::Ready(None)
            }
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
                this.got += data.map_or(0, |data| data.len() as u64);
                if this.got >= LEAST_BYTES {
                    (this.got, this.wait) = (0, None);
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let Some(limit) = this.limit else { return Poll::Pending };
                let wait = this.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                wait.as_mut().poll(cx).map(|()| {
                    this.fate.stalled.store(true, Ordering::Relaxed);
                    Some(Err(axum::Error::new(Stalled)))
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// The body of an answer.
pub(super) struct Told {
    /// The body.
    pub(super) body: Body,
    /// The request that it answers.
    pub(super) open: Open,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let next = Pin::new(&mut this.body).poll_frame(cx);
        this.open.wait_for_client(matches!(next, Poll::Ready(Some(Ok(_)))));
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
