//! Connections that have not said yet what they want: only so many, and the oldest gives way.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use tokio::sync::Notify;

/// So many on one worker. An honest one is done in milliseconds, so the oldest is the one to go.
const MOST: usize = 256;

/// Each with its number and what sends it away, the oldest first.
type Waiting = Rc<RefCell<VecDeque<(u64, Rc<Notify>)>>>;

/// The connections of one worker that have not said yet what they want.
#[derive(Default)]
pub(super) struct Greetings {
    next: Cell<u64>,
    list: Waiting,
}

/// One of them, until it is dropped.
pub(super) struct Greeting {
    number: u64,
    evicted: Rc<Notify>,
    list: Waiting,
}

impl Greetings {
    pub(super) fn enter(&self) -> Greeting {
        let number = self.next.get();
        self.next.set(number + 1);
        let evicted = Rc::new(Notify::new());
        let mut list = self.list.borrow_mut();
        list.push_back((number, evicted.clone()));
        if list.len() > MOST
            && let Some((_, oldest)) = list.pop_front()
        {
            oldest.notify_one();
        }
        Greeting { number, evicted, list: self.list.clone() }
    }
}

impl Greeting {
    /// Waits until it has to give way.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        let mut list = self.list.borrow_mut();
        if let Ok(place) = list.binary_search_by_key(&self.number, |(number, _)| *number) {
            list.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let greetings = Greetings::default();
        let mut entered: Vec<_> = (0..MOST).map(|_| greetings.enter()).collect();
        drop(entered.remove(0));
        assert!(entered[0].evicted().now_or_never().is_none());
        entered.push(greetings.enter());
        assert!(entered[0].evicted().now_or_never().is_none());
        entered.push(greetings.enter());
        assert!(entered[0].evicted().now_or_never().is_some());
        assert!(entered[1].evicted().now_or_never().is_none());
        drop(entered);
        assert!(greetings.list.borrow().is_empty());
    }
}
