//~ E0423
use countersign::clock::UnixTime;
use countersign::httpsig::{Fresh, MemoryReplayStore, ReplayError, VerifiedRequest};

pub async fn seen_once(
    request: VerifiedRequest,
    _store: &MemoryReplayStore,
    _now: UnixTime,
) -> Result<Fresh, ReplayError> {
    Ok(Fresh(request))
}
