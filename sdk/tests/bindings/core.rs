//! The core without a binding: requests go in and answers come out as values.

use countersign::a2a::{AgentSkill, Request, Response};
use countersign::server::{Agent, InProcessAgent, Reply, async_trait};
use futures_util::StreamExt as _;

use crate::Obedient;
use crate::common::Failure;
use crate::common::wire::Outcome;
use crate::conversation::{Speaker, Stream};

pub(crate) struct Core(InProcessAgent);

impl Core {
    pub(crate) fn new(change: impl FnOnce(Agent) -> Agent) -> Self {
        let skill = AgentSkill::new("work", "Work", "Works").tagged(["work"]);
        let agent = change(Agent::without_identity("worker", "Works").skill(skill));
        Self(agent.danger().in_process(Obedient))
    }
}

#[async_trait]
impl Speaker for Core {
    fn way(&self) -> String {
        "no binding".to_owned()
    }

    fn caller(&self) -> &str {
        "somebody unauthenticated"
    }

    async fn ask(&self, request: &Request) -> Result<Outcome<Response>, Failure> {
        match self.0.handle(request.clone()).await {
            Ok(Reply::Response(response)) => Ok(Ok(response)),
            Ok(Reply::Events(_)) => Err("a stream instead of an answer".into()),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn open(&self, request: &Request) -> Result<Outcome<Stream>, Failure> {
        match self.0.handle(request.clone()).await {
            Ok(Reply::Events(events)) => {
                let events = events.map(|event| Ok(event.map(|event| (*event).clone())));
                Ok(Ok(events.boxed()))
            }
            Ok(Reply::Response(_)) => Err("an answer instead of a stream".into()),
            Err(error) => Ok(Err(error)),
        }
    }
}
