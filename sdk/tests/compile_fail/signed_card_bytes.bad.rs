//~ E0616
use countersign::card::SignedCard;

pub fn length(card: &SignedCard) -> usize {
    card.bytes.len()
}
