//! The bytes of one connection, held back when its bond is over.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::bond::Bond;

/// A stream that writes nothing after the earliest certificate on it ended.
#[derive(Debug)]
pub(super) struct BondedIo<T> {
    stream: T,
    bond: Arc<Bond>,
}

impl<T> BondedIo<T> {
    pub(super) fn new(stream: T, bond: Arc<Bond>) -> Self {
        Self { stream, bond }
    }
}

/// The alert by which the peer ended the connection, if that is what happened.
pub(super) fn alert_in(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// The HTTP/2 stack refuses a header list of the very size it is told, so one more is told.
pub(super) fn header_list_limit(max: usize) -> u32 {
    u32::try_from(max).unwrap_or(u32::MAX).saturating_add(1)
}

// An error, not the end of the stream: an answer without a length would pass for complete.
fn over() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "a certificate of the connection is valid or trusted no more",
    )
}

impl<T: AsyncRead + Unpin> BondedIo<T> {
    fn note(&self, error: io::Error) -> io::Error {
        if let Some(alert) = alert_in(&error) {
            self.bond.rejected(alert);
        }
        error
    }

    /// A failed write often means that the peer refused us; its alert may wait to be read.
    fn look_for_alert(&mut self, cx: &mut Context<'_>) {
        let mut byte = [0_u8; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            self.note(error);
        }
    }

    fn written<V>(&mut self, cx: &mut Context<'_>, done: io::Result<V>) -> io::Result<V> {
        if done.is_err() {
            self.look_for_alert(cx);
        }
        done
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for BondedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bond.is_cut() {
            return Poll::Ready(Err(over()));
        }
        let before = buffer.filled().len();
        let done = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.bond.bytes_came();
        }
        Poll::Ready(done.map_err(|error| self.note(error)))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for BondedIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.bond.is_over() {
            return Poll::Ready(Err(over()));
        }
        let done = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(self.written(cx, done))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.bond.is_over() {
            return Poll::Ready(Err(over()));
        }
        let done = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        Poll::Ready(self.written(cx, done))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.bond.is_cut() {
            return Poll::Ready(Err(over()));
        }
        let done = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(self.written(cx, done))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
