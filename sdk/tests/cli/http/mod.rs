//! `countersign http`: the real binary on raw messages.

mod desk;
mod documents;
mod keys;
mod round_trips;
mod served;
mod usage;
mod vectors;
