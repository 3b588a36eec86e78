//! Places for connections: how many there may be at a time, in total and of one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::rate_limit::network_of;

/// The places of one listener.
#[derive(Clone)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// How many one client may take. `None` if the peers are proxies.
    of_one_client: Option<usize>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place that is taken until this is dropped.
pub(crate) struct Place {
    client: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(all: usize, of_one_client: Option<usize>) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            of_one_client,
            taken: Arc::default(),
        }
    }

    /// Waits until one is free.
    pub(crate) async fn free(&self) -> OwnedSemaphorePermit {
        let permit = self.all.clone().acquire_owned().await;
        permit.expect("it is never closed")
    }

    /// Gives a free one to `client`, unless it has all that one client may take.
    pub(crate) fn take(&self, permit: OwnedSemaphorePermit, client: IpAddr) -> Option<Place> {
        let client = network_of(client);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = taken.get(&client).copied().unwrap_or_default();
        if self.of_one_client.is_some_and(|most| of_client >= most) {
            return None;
        }
        taken.insert(client, of_client + 1);
        drop(taken);
        Some(Place {
            client,
            taken: Arc::clone(&self.taken),
            _permit: permit,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            // The memory for clients must not grow without limit.
            _ => drop(taken.remove(&self.client)),
        }
    }
}
