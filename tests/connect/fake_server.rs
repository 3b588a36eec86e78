//! A server that says what a test wants, for answers that a real one gives only once a year.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves on `listener` for as long as the tests run; `converse` has each connection, with its number from 0.
pub(super) fn serve(listener: TcpListener, converse: impl Fn(usize, TcpStream) + Send + Sync + 'static) {
    let converse = std::sync::Arc::new(converse);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (converse, stream) = (converse.clone(), stream.expect("a connection"));
            thread::spawn(move || converse(number, stream));
        }
    });
}

/// The startup message, without its length. Requests for TLS are declined.
pub(super) fn startup(stream: &mut TcpStream) -> Option<Vec<u8>> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
        stream.read_exact(&mut message).ok()?;
        if message[..4] != 80_877_103_u32.to_be_bytes() {
            return Some(message);
        }
        stream.write_all(b"N").ok()?;
    }
}

/// A message: its type, and what follows the length.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4)
        .expect("a short message")
        .to_be_bytes();
    [&[kind], &length[..], body].concat()
}

/// An error of severity FATAL.
pub(super) fn fatal(sqlstate: &str, text: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{text}\0\0");
    message(b'E', fields.as_bytes())
}
