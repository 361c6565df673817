//! The JSON forms of A2A 0.3: examples of its specification, messages recorded of an SDK, and
//! everything that 1.0 has, there and back.

#[path = "v03_forms/cards.rs"]
mod cards;
#[path = "v03_forms/differences.rs"]
mod differences;
#[path = "v03_forms/errors.rs"]
mod errors;
#[path = "v03_forms/examples.rs"]
mod examples;
#[path = "v03_forms/reading.rs"]
mod reading;
#[path = "v03_forms/refusals.rs"]
mod refusals;
#[path = "v03_forms/round_trips.rs"]
mod round_trips;
