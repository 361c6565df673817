//! The authority and its client against each other, over real connections.

mod asking;
mod certificates;
mod chains;
mod logins;
mod requests;
mod serving;

const CHARGE: &str = "payments:charge";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
