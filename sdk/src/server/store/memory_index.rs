//! The tasks of one owner in memory, and their order in every list that can be asked for.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::{
    Lease, StoredEvent, StoredTask, TaskChange, TaskCursor, TaskPage, TaskQuery, TaskSnapshot,
};
use crate::a2a::TaskState;
use crate::clock::UnixTime;
use crate::server::weight::Weight as _;

/// Of one task, as many events are kept, and as many bytes of them.
pub(super) const MAX_EVENTS: usize = 10_000;
pub(super) const MAX_EVENT_BYTES: usize = 32 << 20;

/// The tasks of one owner, and their order in every list that can be asked for.
#[derive(Debug, Default)]
pub(super) struct Owned {
    pub(super) tasks: HashMap<Arc<str>, Kept>,
    /// Those that are over, by their places among all that are.
    pub(super) over: BTreeSet<u64>,
    all: BTreeSet<Place>,
    by_state: HashMap<TaskState, BTreeSet<Place>>,
    by_context: HashMap<Arc<str>, BTreeSet<Place>>,
}

/// Status time and ID.
type Place = (i64, Arc<str>);

/// A page whose tasks are still to be put together.
#[derive(Debug, Default)]
pub(super) struct Found {
    tasks: Vec<TaskSnapshot>,
    next: Option<TaskCursor>,
    total: u64,
}

impl Found {
    pub(super) fn page(self) -> TaskPage {
        TaskPage {
            tasks: self.tasks.iter().map(TaskSnapshot::whole).collect(),
            next: self.next,
            total: self.total,
        }
    }
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) task: TaskSnapshot,
    pub(super) version: u64,
    pub(super) events: VecDeque<StoredEvent>,
    event_bytes: usize,
    /// Its place among those that are over, if it is.
    pub(super) over: Option<u64>,
    pub(super) lease: Option<Lease>,
    /// From when on somebody is to work on it.
    pub(super) work_from: Option<UnixTime>,
}

impl Kept {
    pub(super) fn new(first: &TaskChange, lease: Option<&Lease>) -> Self {
        let mut kept = Self {
            task: first.task.clone(),
            version: 0,
            events: VecDeque::new(),
            event_bytes: 0,
            over: None,
            lease: lease.cloned(),
            work_from: None,
        };
        kept.push(first);
        kept
    }

    pub(super) fn moment(&self) -> (TaskSnapshot, u64) {
        (self.task.clone(), self.version)
    }

    pub(super) fn stored(&self) -> StoredTask {
        StoredTask {
            task: self.task.whole(),
            version: self.version,
        }
    }

    pub(super) fn push(&mut self, change: &TaskChange) {
        let numbers = change.expected + 1..;
        let events = numbers.zip(&change.events).map(|(number, event)| {
            let event = Arc::clone(event);
            StoredEvent { number, event }
        });
        self.events.extend(events);
        let new = change.events.iter().map(|event| event.weight());
        self.event_bytes += new.sum::<usize>();
        // What came last stays, however large.
        while self.events.len() > MAX_EVENTS
            || self.event_bytes > MAX_EVENT_BYTES && self.events.len() > change.events.len()
        {
            let first = self.events.pop_front();
            self.event_bytes -= first.map_or(0, |first| first.event.weight());
        }
        self.task = change.task.clone();
        self.version = change.version();
        self.work_from = change.worked_on_from();
    }

    pub(super) fn drop_events(&mut self) {
        self.events = VecDeque::new();
        self.event_bytes = 0;
    }

    pub(super) fn is_free(&self, instance: Option<&str>, now: UnixTime) -> bool {
        let lease = self.lease.as_ref();
        lease.is_none_or(|held| held.until < now || Some(held.instance.as_str()) == instance)
    }
}

impl Owned {
    /// How many of its tasks are not over.
    pub(super) fn unfinished(&self) -> usize {
        self.tasks.len() - self.over.len()
    }

    pub(super) fn enter(&mut self, task: &TaskSnapshot, id: &Arc<str>) {
        let place = (task.status_ms(), Arc::clone(id));
        self.all.insert(place.clone());
        let state = self.by_state.entry(task.state()).or_default();
        state.insert(place.clone());
        let context = match self.by_context.get_mut(task.context_id()) {
            Some(context) => context,
            None => self.by_context.entry(task.context_id().into()).or_default(),
        };
        context.insert(place);
    }

    pub(super) fn leave(&mut self, task: &TaskSnapshot, id: &Arc<str>) {
        let place = (task.status_ms(), Arc::clone(id));
        self.all.remove(&place);
        if let Some(state) = self.by_state.get_mut(&task.state()) {
            state.remove(&place);
        }
        if let Some(context) = self.by_context.get_mut(task.context_id()) {
            context.remove(&place);
            if context.is_empty() {
                self.by_context.remove(task.context_id());
            }
        }
    }

    pub(super) fn list(&self, query: &TaskQuery) -> Found {
        let (order, state) = match (&query.context_id, query.state) {
            (Some(context), state) => (self.by_context.get(context.as_str()), state),
            (None, Some(state)) => (self.by_state.get(&state), None),
            (None, None) => (Some(&self.all), None),
        };
        let Some(order) = order else {
            return Found::default();
        };
        let is_wanted = |place: &&Place| {
            state.is_none_or(|state| {
                let kept = self.tasks.get(&place.1);
                kept.is_some_and(|kept| kept.task.state() == state)
            })
        };
        let lowest = match query.not_before_ms {
            Some(oldest) => Bound::Included((oldest, Arc::from(""))),
            None => Bound::Unbounded,
        };
        let total = if state.is_none() && query.not_before_ms.is_none() {
            order.len() as u64
        } else if let Some(told) = query.total {
            told
        } else {
            let wanted = order.range((lowest.clone(), Bound::Unbounded));
            wanted.filter(is_wanted).count() as u64
        };
        let page = self.page(query, order, lowest, is_wanted);
        Found { total, ..page }
    }

    /// The page without its total.
    fn page(
        &self,
        query: &TaskQuery,
        order: &BTreeSet<Place>,
        lowest: Bound<Place>,
        is_wanted: impl Fn(&&Place) -> bool,
    ) -> Found {
        let end = match &query.after {
            Some(cursor) => Bound::Excluded((cursor.status_ms, Arc::from(cursor.id.as_str()))),
            None => Bound::Unbounded,
        };
        if is_empty(&lowest, &end) {
            return Found::default();
        }
        let size = query.page_size as usize;
        let mut places = order.range((lowest, end)).rev().filter(is_wanted);
        let shown: Vec<&Place> = places.by_ref().take(size).collect();
        let last = shown.last().filter(|_| places.next().is_some());
        let next = last.map(|(status_ms, id)| TaskCursor {
            status_ms: *status_ms,
            id: id.as_ref().to_owned(),
        });
        let kept = shown.iter().filter_map(|(_, id)| self.tasks.get(id));
        Found {
            tasks: kept.map(|kept| kept.task.clone()).collect(),
            next,
            total: 0,
        }
    }
}

/// Whether nothing is between the two; a set panics when it is asked for such a range.
fn is_empty(lowest: &Bound<Place>, end: &Bound<Place>) -> bool {
    match (lowest, end) {
        (Bound::Included(lowest), Bound::Excluded(end)) => lowest >= end,
        _ => false,
    }
}
