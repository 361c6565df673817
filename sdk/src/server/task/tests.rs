//! Tests of the engine, on a store that several instances share.

mod answered;
mod deadlines;
mod following;
mod instances;
mod limits;
mod pushing;
mod sending;
mod stage;
mod waiting;
