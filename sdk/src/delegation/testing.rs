//! Callers for the unit tests of this room and of those above.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Caller, ChainLimits, DelegationError, caller};
use crate::clock::Skew;
use crate::httpsig::replay::conformance::wait;
use crate::httpsig::{Fresh, MemoryReplayStore, Origin, Profile, Signer, Verifier};
use crate::svid::PeerIdentity;
use crate::token::testing::{BOOKING, NOW, World};

pub(crate) const PLANNER: &str = "spiffe://travel.test/agent/planner";
pub(crate) const FRONT_DESK: &str = "spiffe://travel.test/agent/front-desk";

/// A request that the world's peer key signed, verified for `owner`.
pub(crate) fn signed_by(world: &World, owner: &PeerIdentity) -> Fresh {
    let origin = Origin::https("payments.test");
    let mut parts = http::Request::post("https://payments.test/a2a")
        .header("authorization", "Bearer x")
        .body(())
        .expect("a request")
        .into_parts()
        .0;
    let directory = "https://booking.test/.well-known/http-message-signatures-directory";
    let key = Arc::clone(&world.peer_key);
    let signer = Signer::new(key, directory, Profile::a2a()).expect("a signer");
    let nonce = crate::crypto::random();
    let signed = signer.sign(&mut parts, &origin, b"{}", NOW, nonce);
    signed.expect("signs");
    let verifier = Verifier::new(Profile::a2a(), origin, Skew::default());
    let verified = verifier
        .verify(&parts, b"{}", owner, NOW)
        .expect("verifies");
    let store = MemoryReplayStore::default();
    let fresh = wait(verified.fresh(&store, Skew::default(), NOW));
    fresh.expect("fresh")
}

pub(crate) fn call(world: &World) -> Result<Caller, DelegationError> {
    let token = world.check().expect("a good token");
    let request = signed_by(world, &world.peer);
    caller(token, request, ChainLimits::default())
}

/// The claim `act` of these agents, newest first.
pub(crate) fn act(newest_first: &[&str]) -> Value {
    let oldest_first = newest_first.iter().rev();
    oldest_first.fold(Value::Null, |inner, sub| match inner {
        Value::Null => json!({"sub": sub}),
        inner => json!({"sub": sub, "act": inner}),
    })
}

/// Booking for alice through planner and front-desk, with this scope.
pub(crate) fn delegated(scope: &str) -> Caller {
    let mut world = World::good();
    world.claims["act"] = act(&[BOOKING, PLANNER, FRONT_DESK]);
    world.claims["scope"] = json!(scope);
    call(&world).expect("a caller")
}

/// Booking for itself, with this scope.
pub(crate) fn app_only(scope: &str) -> Caller {
    let mut world = World::good();
    world
        .claims
        .as_object_mut()
        .expect("an object")
        .remove("act");
    world.claims["sub"] = json!(BOOKING);
    world.claims["scope"] = json!(scope);
    call(&world).expect("a caller")
}
