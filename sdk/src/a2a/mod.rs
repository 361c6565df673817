//! The protocol's own words: messages, tasks, events, errors, wire forms.
