//~ E0624
use countersign::svid::PeerIdentity;

pub fn make(checked: &PeerIdentity) -> PeerIdentity {
    PeerIdentity::new(
        checked.id().clone(),
        checked.certificate(),
        checked.key().clone(),
        checked.not_after(),
    )
}
