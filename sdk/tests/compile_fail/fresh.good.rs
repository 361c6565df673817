use countersign::clock::{Skew, UnixTime};
use countersign::httpsig::{Fresh, MemoryReplayStore, ReplayError, VerifiedRequest};

pub async fn seen_once(
    request: VerifiedRequest,
    store: &MemoryReplayStore,
    now: UnixTime,
) -> Result<Fresh, ReplayError> {
    request.fresh(store, Skew::default(), now).await
}
