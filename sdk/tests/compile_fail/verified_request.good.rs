use countersign::httpsig::VerifiedRequest;
use countersign::svid::PeerIdentity;

pub fn of(checked: VerifiedRequest, owner: &PeerIdentity) -> Option<VerifiedRequest> {
    (checked.owner().id() == owner.id()).then_some(checked)
}
