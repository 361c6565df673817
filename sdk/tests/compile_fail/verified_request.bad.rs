//~ E0451
use countersign::httpsig::VerifiedRequest;
use countersign::svid::PeerIdentity;

pub fn of(checked: VerifiedRequest, owner: &PeerIdentity) -> Option<VerifiedRequest> {
    let owner = owner.clone();
    Some(VerifiedRequest { owner, ..checked })
}
