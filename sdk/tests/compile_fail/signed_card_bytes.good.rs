use countersign::card::SignedCard;

pub fn length(card: &SignedCard) -> usize {
    format!("{card:?}").len()
}
