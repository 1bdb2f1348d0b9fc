//! What a task works with and must not take with it when it ends, however it ends.

#![expect(
    clippy::disallowed_types,
    reason = "the end of one task and the beginning of the next exclude each other"
)]

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Something for one task after the other.
pub struct Lent<T>(Arc<Mutex<Desk<T>>>);

struct Desk<T> {
    thing: Option<T>,
    /// How often it has been borrowed.
    turn: u64,
}

/// The thing, in somebody's hands. Dropped, also by a panic, it is there for the next one.
pub struct Borrowed<T> {
    thing: Option<T>,
    turn: u64,
    desk: Arc<Mutex<Desk<T>>>,
}

impl<T> Lent<T> {
    /// What was given back last; none if there is nothing, or somebody still has it.
    pub fn take(&self) -> Option<T> {
        lock(&self.0).thing.take()
    }

    /// Lends a thing. Whoever borrowed one before and still has it keeps that, but its end is of no
    /// interest any more.
    pub fn lend(&self, thing: T) -> Borrowed<T> {
        let mut desk = lock(&self.0);
        desk.turn += 1;
        Borrowed { thing: Some(thing), turn: desk.turn, desk: self.0.clone() }
    }
}

impl<T> Default for Lent<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Desk { thing: None, turn: 0 })))
    }
}

impl<T> Deref for Borrowed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is given back only by the drop")
    }
}

impl<T> DerefMut for Borrowed<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is given back only by the drop")
    }
}

impl<T> Drop for Borrowed<T> {
    fn drop(&mut self) {
        let mut desk = lock(&self.desk);
        if desk.turn == self.turn {
            desk.thing = self.thing.take();
        }
    }
}

fn lock<T>(desk: &Mutex<Desk<T>>) -> MutexGuard<'_, Desk<T>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_from_a_task_that_panics() {
        let lent = Lent::default();
        assert_eq!(lent.take(), None);
        let mut borrowed = lent.lend(vec![1]);
        let task = std::thread::spawn(move || {
            borrowed.push(2);
            panic!("as tests do");
        });
        assert!(task.join().is_err());
        assert_eq!(lent.take(), Some(vec![1, 2]));
        assert_eq!(lent.take(), None);
    }

    #[test]
    fn a_late_end_is_of_no_interest() {
        let lent = Lent::default();
        let (late, next) = (lent.lend("late"), lent.lend("next"));
        drop(late);
        assert_eq!(lent.take(), None);
        drop(next);
        assert_eq!(lent.take(), Some("next"));
    }
}
