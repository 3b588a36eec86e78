//! The messages of a server, as they arrive: what is wrong with one is noticed before tokio-postgres reads it.
//!
//! tokio-postgres reserves the memory that a message announces, computes as many rounds of a hash as the server wants, and
//! panics at a row that is shorter than its description.

use std::io;

/// How many bytes a server may send before the connection is open. PostgreSQL sends about one thousand.
const MOST_BEFORE_OPEN: usize = 256 * 1024;

/// The most rounds of SCRAM. PostgreSQL's default is 4096; a million take a second.
const MOST_ROUNDS: u32 = 1_000_000;

/// Type and length of a message.
const HEAD: usize = 5;

/// Where the stream of messages is.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: Vec<u8>,
    /// What is kept of the body.
    body: Vec<u8>,
    /// How many bytes of the body are to come.
    left: usize,
    seen_before_open: usize,
    /// The columns of the rows that follow, if they were described since the server was last ready.
    columns: Option<u16>,
}

impl Frames {
    /// Looks at the next bytes.
    pub(crate) fn inspect(&mut self, mut bytes: &[u8], is_open: bool) -> io::Result<()> {
        if !is_open {
            self.seen_before_open = self.seen_before_open.saturating_add(bytes.len());
            check_size(self.seen_before_open)?;
        }
        while !bytes.is_empty() {
            if self.head.len() < HEAD {
                let (head, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
                self.head.extend_from_slice(head);
                bytes = rest;
                if self.head.len() == HEAD {
                    self.begin(is_open)?;
                }
            } else {
                let (body, rest) = bytes.split_at(bytes.len().min(self.left));
                self.keep(body, is_open);
                self.left -= body.len();
                bytes = rest;
            }
            if self.head.len() == HEAD && self.left == 0 {
                self.end(is_open)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, is_open: bool) -> io::Result<()> {
        let length = self.head[1..]
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length < HEAD - 1 {
            return Err(odd("the server sent a message that is shorter than its length"));
        }
        self.left = length - (HEAD - 1);
        if is_open { Ok(()) } else { check_size(length) }
    }

    /// Keeps the number of columns, and what the server asks for before the connection is open.
    fn keep(&mut self, bytes: &[u8], is_open: bool) {
        let most = match self.head[0] {
            b'R' if !is_open => MOST_BEFORE_OPEN,
            b'T' | b'D' => 2,
            _ => 0,
        };
        let kept = bytes.len().min(most.saturating_sub(self.body.len()));
        self.body.extend_from_slice(&bytes[..kept]);
    }

    fn end(&mut self, is_open: bool) -> io::Result<()> {
        let number = <[u8; 2]>::try_from(&self.body[..self.body.len().min(2)]).map(u16::from_be_bytes);
        match self.head[0] {
            b'R' if !is_open => check_rounds(&self.body)?,
            b'T' => self.columns = number.ok(),
            b'D' if self.columns.is_some() && self.columns != number.ok() => {
                return Err(odd(
                    "the server sent a row with another number of columns than it described",
                ));
            }
            // A statement that was prepared earlier is not described again.
            b'Z' => self.columns = None,
            _ => {}
        }
        self.head.clear();
        self.body.clear();
        Ok(())
    }
}

fn check_size(bytes: usize) -> io::Result<()> {
    if bytes > MOST_BEFORE_OPEN {
        return Err(odd(
            "the server sent more than 256 KiB before the connection was open",
        ));
    }
    Ok(())
}

/// `r=nonce,s=salt,i=rounds`, after the code of a SASL challenge.
fn check_rounds(body: &[u8]) -> io::Result<()> {
    let Some(challenge) = body.strip_prefix(&[0, 0, 0, 11]) else {
        return Ok(());
    };
    let rounds = challenge
        .split(|byte| *byte == b',')
        .find_map(|part| part.strip_prefix(b"i="));
    let rounds = rounds.and_then(|rounds| std::str::from_utf8(rounds).ok()?.parse().ok());
    if rounds.is_none_or(|rounds: u32| rounds > MOST_ROUNDS) {
        // Waiting does not change that.
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the server asks for more than a million rounds of SCRAM",
        ));
    }
    Ok(())
}

fn odd(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::Frames;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    /// Whether all is well, however the bytes are cut.
    fn passes(bytes: &[u8], is_open: bool) -> bool {
        let whole = Frames::default().inspect(bytes, is_open).is_ok();
        for size in 1..9 {
            let mut frames = Frames::default();
            let pieces = bytes
                .chunks(size)
                .all(|piece| frames.inspect(piece, is_open).is_ok());
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn rows_fit_their_description() {
        let (two, row) = (message(b'T', &[0, 2, 9, 9]), message(b'D', &[0, 2, 7]));
        let (short, ready) = (message(b'D', &[0, 1]), message(b'Z', b"I"));
        assert!(passes(&[&two[..], &row, &row, &ready].concat(), true));
        assert!(!passes(&[&two[..], &row, &short].concat(), true));
        assert!(!passes(&[&two[..], &message(b'D', &[0])].concat(), true));
        // Of a statement that was prepared before.
        assert!(passes(&[&two[..], &ready, &short].concat(), true));
    }

    #[test]
    fn what_comes_before_the_connection_is_open_is_bounded() {
        let long = [b'N', 0x7F, 0xFF, 0xFF, 0xFF];
        assert!(!passes(&long, false));
        assert!(passes(&long, true));
        let notice = message(b'N', &[0; 1000]);
        assert!(passes(&notice.repeat(200), false));
        assert!(!passes(&notice.repeat(300), false));
        assert!(!passes(&[b'R', 0, 0, 0, 3], true));
    }

    #[test]
    fn the_rounds_of_scram_are_bounded() {
        let challenge = |rounds: &str| {
            let text = format!("\0\0\0\u{b}r=abc,s=QQ==,i={rounds}");
            passes(&message(b'R', text.as_bytes()), false)
        };
        assert!(challenge("4096") && challenge("1000000"));
        assert!(
            !challenge("1000001") && !challenge("4294967295") && !challenge("99999999999") && !challenge("")
        );
        assert!(passes(&message(b'R', &[0, 0, 0, 0]), false));
    }
}
