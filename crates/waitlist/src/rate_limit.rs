//! How many requests a client may send, and which requests are of one client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::api_error::ApiError;
use crate::config::RateLimit;

/// The address of the connection, whatever the headers say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Counts the requests of each client.
#[derive(Clone)]
pub(crate) struct Limiter {
    clients: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Option<Self> {
        let period = limit.window / limit.requests.get();
        let quota = Quota::with_period(period)?.allow_burst(limit.requests);
        Some(Self {
            clients: Arc::new(RateLimiter::keyed(quota)),
            clock: DefaultClock::default(),
        })
    }

    /// Counts a request of `client`, or refuses it.
    pub(crate) fn admit(&self, client: IpAddr) -> Result<(), ApiError> {
        self.clients.check_key(&network_of(client)).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            ApiError::rate_limited(wait.as_secs() + 1)
        })
    }

    /// Forgets the clients that have their full allowance again.
    pub(crate) fn forget_idle(&self) {
        self.clients.retain_recent();
    }
}

/// A client with one IPv6 address usually has a network of 2^64, and could use another address with each request.
pub(crate) fn network_of(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The client of a request. Behind `proxies` reverse proxies it is the entry of `X-Forwarded-For` that the first of them
/// added; the client may have written the entries before it.
pub(crate) fn client_of(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> IpAddr {
    if proxies == 0 {
        return peer.to_canonical();
    }
    // As bytes: an entry that is not UTF-8 counts too, and must not shift the entries of the proxies.
    let entries: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    let entry = entries.len().checked_sub(proxies).map(|index| entries[index]);
    let entry = entry.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let address = entry.and_then(|text| address_of(text.trim()));
    address.unwrap_or(peer).to_canonical()
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address_of(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::{client_of, network_of};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn only_what_trusted_proxies_added_is_believed() {
        let peer = "192.0.2.9".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.1, 203.0.113.2".parse().unwrap());
        headers.append("x-forwarded-for", "[2001:db8::3]:80".parse().unwrap());
        for (proxies, client) in [
            (0, "192.0.2.9"),
            (1, "2001:db8::3"),
            (2, "203.0.113.2"),
            (3, "203.0.113.1"),
            (4, "192.0.2.9"),
        ] {
            assert_eq!(client_of(peer, &headers, proxies).to_string(), client);
        }
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(client_of(peer, &headers, 1), peer);
    }

    #[test]
    fn an_entry_that_is_no_text_hides_no_other() {
        let peer = "192.0.2.9".parse().unwrap();
        let mut headers = HeaderMap::new();
        let line = HeaderValue::from_bytes(b"\xff, 203.0.113.1").unwrap();
        headers.append("x-forwarded-for", line);
        assert_eq!(client_of(peer, &headers, 1).to_string(), "203.0.113.1");
        assert_eq!(client_of(peer, &headers, 2), peer);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
