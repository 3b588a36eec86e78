//! A query that is sent without a copy in the buffers of tokio-postgres, which hold a message twice.
//!
//! tokio-postgres sends an empty query, and the stream sends the large one in its place. The answers are those of the large
//! one. Invariant: while a large query is kept here, tokio-postgres sends nothing else.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};

/// The message of an empty query: its type, its length without the type, and the end of its text.
const EMPTY_QUERY: [u8; 6] = [b'Q', 0, 0, 0, 5, 0];

/// The large query that is to be sent next on a connection, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LargeQuery(Arc<Mutex<Option<Message>>>);

#[derive(Debug)]
struct Message {
    head: [u8; 5],
    text: String,
    sent: usize,
}

impl LargeQuery {
    /// Keeps `text` until the next empty query is sent.
    ///
    /// # Errors
    ///
    /// The protocol has no message of that size.
    pub(crate) fn keep(&self, text: String) -> io::Result<()> {
        let length = u32::try_from(text.len() + 5)
            .ok()
            .filter(|length| i32::try_from(*length).is_ok());
        let length = length.ok_or_else(|| io::Error::other("the query is longer than 2 GB"))?;
        let mut head = [b'Q', 0, 0, 0, 0];
        head[1..].copy_from_slice(&length.to_be_bytes());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Message { head, text, sent: 0 });
        Ok(())
    }

    /// Whether a large query is kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Writes the large query with `write`, if `bytes` begin with the empty one. How many of `bytes` that stands for; `None`
    /// if they are to be written themselves.
    pub(crate) fn poll_write(
        &self,
        bytes: &[u8],
        mut write: impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Option<Poll<io::Result<usize>>> {
        if !bytes.starts_with(&EMPTY_QUERY) {
            return None;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = kept.as_mut()?;
        let outcome = message.poll_write(&mut write);
        if outcome.is_ready() {
            *kept = None;
        }
        Some(outcome.map_ok(|()| EMPTY_QUERY.len()))
    }
}

impl Message {
    fn poll_write(
        &mut self,
        write: &mut impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        loop {
            let after_head = self.sent.saturating_sub(self.head.len());
            let rest = if self.sent < self.head.len() {
                &self.head[self.sent..]
            } else if after_head < self.text.len() {
                &self.text.as_bytes()[after_head..]
            } else if after_head == self.text.len() {
                &[0]
            } else {
                return Poll::Ready(Ok(()));
            };
            match ready!(write(rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::{EMPTY_QUERY, LargeQuery};

    #[test]
    fn it_is_sent_in_place_of_the_empty_query_however_little_is_written_at_once() {
        for step in [1, 2, 5, 1000] {
            let large = LargeQuery::default();
            assert!(large.poll_write(&EMPTY_QUERY, |_| unreachable!()).is_none());
            large.keep("SELECT 1".to_owned()).unwrap();
            assert!(large.poll_write(b"X\0\0\0\x04", |_| unreachable!()).is_none());
            let mut sent = Vec::new();
            let mut is_blocked = false;
            let outcome = loop {
                let outcome = large.poll_write(&EMPTY_QUERY, |bytes| {
                    is_blocked = !is_blocked;
                    if is_blocked {
                        return Poll::Pending;
                    }
                    let count = bytes.len().min(step);
                    sent.extend_from_slice(&bytes[..count]);
                    Poll::Ready(Ok(count))
                });
                match outcome.expect("a large query") {
                    Poll::Pending => {}
                    Poll::Ready(outcome) => break outcome,
                }
            };
            assert_eq!(outcome.unwrap(), EMPTY_QUERY.len());
            assert_eq!(sent, b"Q\0\0\0\x0dSELECT 1\0");
            assert!(large.poll_write(&EMPTY_QUERY, |_| unreachable!()).is_none());
        }
    }
}
