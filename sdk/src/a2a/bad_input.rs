//! Bad input, once for all operations and both JSON bindings: the same field is refused on each.

mod bodies;
mod both;
mod fields;
mod mangled;
