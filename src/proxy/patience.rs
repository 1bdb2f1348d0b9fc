//! A deadline that is moved often and reached rarely: moving it further costs nothing.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline. The timer below it is set again only when it fires too early.
pub(super) struct Patience {
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        let deadline = Instant::now() + limit;
        Self { deadline, timer: Box::pin(sleep_until(deadline)) }
    }

    /// The deadline is so far from now.
    pub(super) fn restart(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
        if self.deadline < self.timer.deadline() {
            self.timer.as_mut().reset(self.deadline);
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= self.deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_was_last_said_to() {
        let start = Instant::now();
        let mut patience = Patience::new(Duration::from_secs(30));
        patience.restart(Duration::from_mins(3));
        poll_fn(|cx| patience.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 180);
        patience.restart(Duration::from_mins(3));
        patience.restart(Duration::from_secs(5));
        poll_fn(|cx| patience.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 185);
    }
}
