//! The content of a file as the body of an answer: read piece by piece, as fast as the reader takes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tenter_store::FileRow;

use crate::api::error::ApiError;
use crate::app::App;

type Piece = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, ApiError>> + Send>>;

/// What is still to be sent of a file. One piece is in memory at a time.
pub(super) struct FileBody {
    app: App,
    file: i64,
    next: u64,
    left: u64,
    reading: Option<Piece>,
}

impl FileBody {
    pub(super) fn new(app: App, row: &FileRow) -> Self {
        Self { app, file: row.id, next: 0, left: row.size, reading: None }
    }

    fn read_next(&mut self) -> &mut Piece {
        let (app, file, number) = (&self.app, self.file, self.next);
        self.reading.get_or_insert_with(|| {
            let app = app.clone();
            Box::pin(async move {
                app.read(move |reader| reader.cases(None, None, |world| world.file_piece(file, number))).await
            })
        })
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let piece = ready!(this.read_next().as_mut().poll(cx));
        this.reading = None;
        Poll::Ready(Some(match piece {
            Ok(Some(bytes)) if bytes.len() as u64 <= this.left => {
                this.next += 1;
                this.left -= bytes.len() as u64;
                Ok(Frame::data(bytes.into()))
            }
            // The connection breaks off, so that nobody takes a part for the whole.
            Ok(_) => Err("the file was deleted while it was sent".into()),
            Err(error) => Err(error.detail.into()),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
