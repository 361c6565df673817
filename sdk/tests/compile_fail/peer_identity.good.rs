use countersign::svid::PeerIdentity;

pub fn make(checked: &PeerIdentity) -> PeerIdentity {
    checked.clone()
}
