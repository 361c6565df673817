//! Notifications from one agent to another, over real connections.

mod common;

#[path = "push/delivering.rs"]
mod delivering;
#[path = "push/door.rs"]
mod door;
#[path = "push/taking.rs"]
mod taking;
#[path = "push/told.rs"]
mod told;
#[path = "push/web.rs"]
mod web;
#[path = "push/world.rs"]
mod world;
