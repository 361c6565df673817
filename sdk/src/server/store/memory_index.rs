//! The tasks of one owner in memory, and their order in every list that can be asked for.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::task_store::status_ms;
use super::{Lease, StoredEvent, StoredTask, TaskChange, TaskCursor, TaskPage, TaskQuery};
use crate::a2a::{Task, TaskState};
use crate::clock::UnixTime;

/// Of one task, as many events are kept.
pub(super) const MAX_EVENTS: usize = 10_000;

/// The tasks of one owner, and their order in every list that can be asked for.
#[derive(Debug, Default)]
pub(super) struct Owned {
    pub(super) tasks: HashMap<Arc<str>, Kept>,
    all: BTreeSet<Place>,
    by_state: HashMap<TaskState, BTreeSet<Place>>,
    by_context: HashMap<Arc<str>, BTreeSet<Place>>,
}

/// Status time and ID.
type Place = (i64, Arc<str>);

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) stored: StoredTask,
    pub(super) events: VecDeque<StoredEvent>,
    pub(super) lease: Option<Lease>,
}

impl Kept {
    pub(super) fn new(first: &TaskChange, lease: Option<&Lease>) -> Self {
        let mut kept = Self {
            stored: StoredTask {
                task: Arc::clone(&first.task),
                version: 0,
            },
            events: VecDeque::new(),
            lease: lease.cloned(),
        };
        kept.push(first);
        kept
    }

    pub(super) fn push(&mut self, change: &TaskChange) {
        let numbers = change.expected + 1..;
        let events = numbers.zip(&change.events).map(|(number, event)| {
            let event = Arc::clone(event);
            StoredEvent { number, event }
        });
        self.events.extend(events);
        let over = self.events.len().saturating_sub(MAX_EVENTS);
        self.events.drain(..over);
        self.stored.task = Arc::clone(&change.task);
        self.stored.version = change.version();
    }

    pub(super) fn is_free(&self, instance: Option<&str>, now: UnixTime) -> bool {
        let lease = self.lease.as_ref();
        lease.is_none_or(|held| held.until < now || Some(held.instance.as_str()) == instance)
    }
}

impl Owned {
    pub(super) fn enter(&mut self, task: &Task, id: &Arc<str>) {
        let place = (status_ms(task), Arc::clone(id));
        self.all.insert(place.clone());
        let state = self.by_state.entry(task.status.state).or_default();
        state.insert(place.clone());
        let context = match self.by_context.get_mut(task.context_id.as_str()) {
            Some(context) => context,
            None => self
                .by_context
                .entry(task.context_id.as_str().into())
                .or_default(),
        };
        context.insert(place);
    }

    pub(super) fn leave(&mut self, task: &Task, id: &Arc<str>) {
        let place = (status_ms(task), Arc::clone(id));
        self.all.remove(&place);
        if let Some(state) = self.by_state.get_mut(&task.status.state) {
            state.remove(&place);
        }
        if let Some(context) = self.by_context.get_mut(task.context_id.as_str()) {
            context.remove(&place);
            if context.is_empty() {
                self.by_context.remove(task.context_id.as_str());
            }
        }
    }

    pub(super) fn list(&self, query: &TaskQuery) -> TaskPage {
        let (order, state) = match (&query.context_id, query.state) {
            (Some(context), state) => (self.by_context.get(context.as_str()), state),
            (None, Some(state)) => (self.by_state.get(&state), None),
            (None, None) => (Some(&self.all), None),
        };
        let Some(order) = order else {
            return TaskPage::default();
        };
        let is_wanted = |place: &&Place| {
            state.is_none_or(|state| {
                let kept = self.tasks.get(&place.1);
                kept.is_some_and(|kept| kept.stored.task.status.state == state)
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
        TaskPage { total, ..page }
    }

    /// The page without its total.
    fn page(
        &self,
        query: &TaskQuery,
        order: &BTreeSet<Place>,
        lowest: Bound<Place>,
        is_wanted: impl Fn(&&Place) -> bool,
    ) -> TaskPage {
        let end = match &query.after {
            Some(cursor) => Bound::Excluded((cursor.status_ms, Arc::from(cursor.id.as_str()))),
            None => Bound::Unbounded,
        };
        if is_empty(&lowest, &end) {
            return TaskPage::default();
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
        TaskPage {
            tasks: kept.map(|kept| Arc::clone(&kept.stored.task)).collect(),
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
