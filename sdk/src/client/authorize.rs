//! Answering a task that waits for an authorization (A2A §7.6).

use super::answer::Answer;
use super::call::{Authority, Call, Intent};
use super::error::ClientError;
use crate::a2a::Message;
use crate::card::AuthorizationRequest;

impl Call {
    /// Gives the task what it waits for: asks for a token with the scopes of `request` besides those
    /// that the call needs anyway, and sends a message to the task with it. The token goes into
    /// `Authorization`, is for this peer and nobody further on, and is bound to our certificate;
    /// nothing of it is in the message.
    ///
    /// Whether to agree is for whoever the call is made for to say: this says yes. A user who did
    /// not grant those scopes has to log in for them first. It holds for this message and for no
    /// later one (A2A §7.6.4).
    ///
    /// ```no_run
    /// # async fn f(client: countersign::Client, booking: countersign::Peer)
    /// # -> Result<(), countersign::client::ClientError> {
    /// let mine = client.on_own_behalf();
    /// let answer = mine.call(&booking).send("Book the train to Bern").await?;
    /// if let (Some(request), Some(task)) = (answer.authorization_request(), answer.task()) {
    ///     println!("{}: {}", request.scopes, request.reason);
    ///     let answer = mine.call(&booking).in_task(task).authorize(&request).await?;
    ///     println!("{}", answer.text());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoTask`] when it was not said which task waits ([`Call::in_task`]);
    /// [`ClientError::OAuth`] when the scopes are not to be had; as [`Call::send`].
    pub async fn authorize(
        mut self,
        request: &AuthorizationRequest,
    ) -> Result<Answer, ClientError> {
        if self.task.is_none() {
            return Err(ClientError::NoTask);
        }
        let needed = match self.intent.scopes.take() {
            Some(scopes) => scopes,
            None => {
                let mut plain = Intent::new(&self.intent.peer, Authority::Own);
                plain.skill.clone_from(&self.intent.skill);
                let kept = self.client.kept_card(&self.intent.peer).await?;
                self.client.planned(&plain, &kept).await?.scopes.clone()
            }
        };
        let more = needed.union(&request.scopes);
        let said = format!("Authorized: {}", request.scopes);
        self.scopes(more).send(Message::from(said)).await
    }
}
