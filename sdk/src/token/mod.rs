//! Access tokens: what is presented, what is proved.
