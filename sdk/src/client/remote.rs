//! An agent that was found: its card is there and verified.

use std::fmt;
use std::sync::Arc;

use super::connect::Client;
use super::error::ClientError;
use super::peer::Peer;
use crate::a2a::{AGENT_CARD_PATH, AgentCard};
use crate::card::VerifiedCard;

/// A peer whose card was fetched and verified. It is called as a [`Peer`] is.
///
/// ```no_run
/// # async fn example(client: countersign::Client) -> Result<(), countersign::client::ClientError> {
/// let booking = client
///     .connect("https://127.0.0.1:4433", "spiffe://travel.example/agent/booking")
///     .await?;
/// println!("{}: {}", booking.card().name, booking.card().description);
/// let answer = client.on_own_behalf().call(&booking).send("Any rooms in Lisbon?").await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RemoteAgent {
    peer: Peer,
    card: Arc<VerifiedCard>,
}

impl RemoteAgent {
    /// Where it is, and who must be there.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Its card, as it was when it was connected to. Calls use the card of the moment.
    pub fn card(&self) -> &AgentCard {
        self.card.card()
    }

    /// The same with the evidence.
    pub fn verified_card(&self) -> &Arc<VerifiedCard> {
        &self.card
    }
}

impl AsRef<Peer> for RemoteAgent {
    fn as_ref(&self) -> &Peer {
        &self.peer
    }
}

impl AsRef<Self> for Peer {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for RemoteAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RemoteAgent({} at {})",
            self.peer.id(),
            self.peer.origin()
        )
    }
}

impl Client {
    /// Finds the agent `id` at `url`: its origin, or the well-known address of its card there. The
    /// card is fetched over a connection that proves the agent, and verified. Nobody is trusted
    /// because of an address: who must answer is always said.
    ///
    /// Calling does not need it, [`Peer::new`] is enough; it is for reading the card first, and for
    /// learning at the start what would go wrong later.
    ///
    /// # Errors
    /// [`ClientError`] of steps 1 and 2.
    pub async fn connect(&self, url: &str, id: &str) -> Result<RemoteAgent, ClientError> {
        let origin = url.strip_suffix(AGENT_CARD_PATH).unwrap_or(url);
        let peer = Peer::new(origin, id)?;
        let card = self.card(&peer).await?;
        Ok(RemoteAgent { peer, card })
    }
}
