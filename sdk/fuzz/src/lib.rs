//! What the fuzz targets share: a message made of any text, and what is asked of it.

mod message;
mod signatures;

pub use message::Message;
pub use signatures::signatures;
