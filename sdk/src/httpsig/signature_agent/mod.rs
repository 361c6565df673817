//! What an agent says about itself to the web, and lists of such agents
//! (draft-meunier-webbotauth-registry).
//!
//! ```
//! use countersign::httpsig::signature_agent::{Registry, SignatureAgentCard, Trigger};
//!
//! // The agent answers GET on this very URL:
//! let card = SignatureAgentCard::new("https://bot.example/card")
//!     .name("Example Bot")
//!     .jwks_uri("https://bot.example/.well-known/http-message-signatures-directory")
//!     .contact("mailto:bot@bot.example")
//!     .trigger(Trigger::Fetcher);
//! let body = card.to_bytes();
//!
//! // Somebody who fetched it:
//! let (read, warnings) = SignatureAgentCard::read(&body, "https://bot.example/card")?;
//! assert!(warnings.is_empty());
//!
//! // And somebody who lists it:
//! let registry = Registry::default().with("https://bot.example/card")?;
//! assert_eq!(registry.to_text(), "https://bot.example/card\n");
//! # assert_eq!(read, card);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod card;
mod card_error;
mod card_read;
mod registry;

pub use card::{Compliance, SignatureAgentCard, Trigger, WebBotAuth};
pub use card_error::{CardError, CardRule, CardWarning};
#[cfg(feature = "net")]
pub(crate) use card_read::MAX_BYTES as MAX_CARD;
#[cfg(feature = "net")]
pub(crate) use registry::MAX_BYTES as MAX_REGISTRY;
pub use registry::{Registry, RegistryEntry, RegistryError, RegistryRule, RegistryWarning};
