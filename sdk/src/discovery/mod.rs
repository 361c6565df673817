//! Finding the keys of those who sign (Web Bot Auth), on the public web.
