//! Every type of `a2a.proto` in ProtoJSON: nothing lost, both spellings, null as absent, unknown
//! members passed over (A2A §5.5-5.7).

mod answers;
mod samples;
mod types;
