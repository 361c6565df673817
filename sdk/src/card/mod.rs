//! Agent Cards: signing, verification, binding, planning.
