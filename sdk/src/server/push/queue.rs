//! Which of the deliveries that are due runs next: no receiver and no owner keeps others waiting.

use std::collections::{HashMap, VecDeque};

use super::settings::AtOnce;

/// How many wait at most, as a multiple of how many run at once: of all, of one receiver, of one owner.
const WAITING: usize = 8;

/// To whom and for whom a delivery is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Lane {
    /// Scheme, host and port.
    pub(super) receiver: String,
    /// The agent whose task it is; the owner, when agents share it.
    pub(super) owner: String,
}

/// Deliveries that wait, in their order, and how many run.
#[derive(Debug)]
pub(super) struct Queue<T> {
    at_once: AtOnce,
    waiting: VecDeque<(Lane, T)>,
    running: Counts,
    waits: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    receiver: HashMap<String, usize>,
    owner: HashMap<String, usize>,
}

impl Counts {
    fn below(&self, lane: &Lane, max: AtOnce) -> bool {
        let receiver = self.receiver.get(&lane.receiver).copied();
        let owner = self.owner.get(&lane.owner).copied();
        self.all < max.all
            && receiver.unwrap_or_default() < max.receiver
            && owner.unwrap_or_default() < max.owner
    }

    fn add(&mut self, lane: &Lane) {
        self.all += 1;
        *self.receiver.entry(lane.receiver.clone()).or_default() += 1;
        *self.owner.entry(lane.owner.clone()).or_default() += 1;
    }

    fn remove(&mut self, lane: &Lane) {
        self.all -= 1;
        take_one(&mut self.receiver, &lane.receiver);
        take_one(&mut self.owner, &lane.owner);
    }
}

fn take_one(counts: &mut HashMap<String, usize>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl<T> Queue<T> {
    pub(super) fn new(at_once: AtOnce) -> Self {
        Self {
            at_once,
            waiting: VecDeque::new(),
            running: Counts::default(),
            waits: Counts::default(),
        }
    }

    /// How many more may wait.
    pub(super) fn room(&self) -> usize {
        (self.at_once.all.max(1) * WAITING).saturating_sub(self.waits.all)
    }

    /// Puts one behind the others; gives it back when too many of its receiver or owner wait already.
    pub(super) fn push(&mut self, lane: Lane, item: T) -> Result<(), T> {
        let AtOnce {
            all,
            receiver,
            owner,
        } = self.at_once;
        // The share of all that one may have running is the share it may have waiting.
        let max = AtOnce {
            all: all.max(1) * WAITING,
            receiver: receiver.max(1) * WAITING,
            owner: owner.max(1) * WAITING,
        };
        if !self.waits.below(&lane, max) {
            return Err(item);
        }
        self.waits.add(&lane);
        self.waiting.push_back((lane, item));
        Ok(())
    }

    /// The first that may run now; it counts as running until [`Queue::done`].
    pub(super) fn next(&mut self) -> Option<(Lane, T)> {
        let AtOnce {
            all,
            receiver,
            owner,
        } = self.at_once;
        let max = AtOnce {
            all: all.max(1),
            receiver: receiver.max(1),
            owner: owner.max(1),
        };
        let free = |(lane, _): &(Lane, T)| self.running.below(lane, max);
        let at = self.waiting.iter().position(free)?;
        let (lane, item) = self.waiting.remove(at)?;
        self.waits.remove(&lane);
        self.running.add(&lane);
        Some((lane, item))
    }

    pub(super) fn done(&mut self, lane: &Lane) {
        self.running.remove(lane);
    }

    /// All that wait.
    pub(super) fn drain(&mut self) -> Vec<T> {
        self.waits = Counts::default();
        self.waiting.drain(..).map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(receiver: &str, owner: &str) -> Lane {
        Lane {
            receiver: receiver.to_owned(),
            owner: owner.to_owned(),
        }
    }

    fn queue() -> Queue<u32> {
        Queue::new(AtOnce {
            all: 4,
            receiver: 2,
            owner: 3,
        })
    }

    fn runs(queue: &mut Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.next().map(|(_, item)| item)).collect()
    }

    #[test]
    fn one_receiver_does_not_take_the_place_of_another() {
        let mut queue = queue();
        for item in 0..5 {
            let lane = lane("slow", &item.to_string());
            queue.push(lane, item).expect("there is room");
        }
        queue.push(lane("quick", "x"), 9).expect("there is room");
        assert_eq!(runs(&mut queue), [0, 1, 9]);
        queue.done(&lane("slow", "0"));
        assert_eq!(runs(&mut queue), [2]);
    }

    #[test]
    fn one_owner_does_not_take_the_place_of_another() {
        let mut queue = queue();
        for item in 0..5 {
            let lane = lane(&item.to_string(), "greedy");
            queue.push(lane, item).expect("there is room");
        }
        queue.push(lane("x", "modest"), 9).expect("there is room");
        assert_eq!(runs(&mut queue), [0, 1, 2, 9]);
        queue.done(&lane("x", "modest"));
        assert!(runs(&mut queue).is_empty());
        queue.done(&lane("1", "greedy"));
        assert_eq!(runs(&mut queue), [3]);
    }

    #[test]
    fn what_waits_is_bounded_in_the_same_shares() {
        let mut queue = queue();
        let room = |queue: &Queue<u32>| queue.room();
        assert_eq!(room(&queue), 32);
        for item in 0..16 {
            let pushed = queue.push(lane("slow", &item.to_string()), item);
            assert_eq!(pushed, Ok(()), "{item}");
        }
        assert_eq!(queue.push(lane("slow", "x"), 16), Err(16));
        assert_eq!(queue.push(lane("quick", "x"), 17), Ok(()));
        assert_eq!(room(&queue), 15);
        assert_eq!(queue.drain().len(), 17);
        assert_eq!(room(&queue), 32);
        assert_eq!(queue.push(lane("slow", "x"), 18), Ok(()));
    }
}
