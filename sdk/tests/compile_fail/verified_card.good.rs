use countersign::card::VerifiedCard;
use countersign::id::SpiffeId;

pub fn of(checked: VerifiedCard, agent: SpiffeId) -> Option<VerifiedCard> {
    (*checked.agent() == agent).then_some(checked)
}
