//~ E0451
use countersign::card::VerifiedCard;
use countersign::id::SpiffeId;

pub fn of(checked: VerifiedCard, agent: SpiffeId) -> Option<VerifiedCard> {
    Some(VerifiedCard { agent, ..checked })
}
