//! The guard between a URL of a stranger and a connection of ours.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::address::{AddressClass, Network, class_of};
use super::error::AddressError;
use super::resolve::Resolver;
use crate::httpsig::{Host, WebUrl};

/// How long a name may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// How many addresses of a name are tried; all of them are checked.
const MAX_ADDRESSES: usize = 8;

/// Ports below this belong to other services, except those of HTTP.
const FIRST_FREE_PORT: u16 = 1024;

/// Whether a URL over TLS may name this port.
pub(crate) const fn permits_port(port: u16) -> bool {
    port >= FIRST_FREE_PORT || port == 443
}

/// Which addresses a URL of a stranger may lead to. The default: those of the public internet.
///
/// ```
/// use countersign::web::AddressRules;
/// let rules = AddressRules::default().network("10.20.0.0/16".parse()?);
/// # Ok::<(), countersign::web::NetworkError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AddressRules {
    networks: Vec<Network>,
    loopback: bool,
}

impl AddressRules {
    /// Opens this private network too.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Ways to make the rules weaker.
    pub fn danger(self) -> RulesDanger {
        RulesDanger(self)
    }

    /// Whether a connection may go to this address.
    ///
    /// # Errors
    /// What the address is for, when it may not.
    pub fn permits(&self, address: IpAddr) -> Result<(), AddressClass> {
        match class_of(address) {
            AddressClass::Public => Ok(()),
            AddressClass::Loopback if self.loopback => Ok(()),
            AddressClass::Private if self.networks.iter().any(|net| net.contains(address)) => {
                Ok(())
            }
            class => Err(class),
        }
    }

    /// Whether this name may be looked up: RFC 6761 §6.3 gives `localhost` to this machine.
    fn permits_name(&self, name: &str) -> bool {
        self.loopback || (name != "localhost" && !name.ends_with(".localhost"))
    }

    /// The addresses that the URL leads to now, every one of them checked; at least one, at most
    /// eight. It is for one attempt: names are looked up and checked again for the next.
    ///
    /// # Errors
    /// [`AddressError`] when the name has none, or one of them is not permitted.
    pub async fn check(
        &self,
        url: &WebUrl,
        resolver: &dyn Resolver,
    ) -> Result<Vec<SocketAddr>, AddressError> {
        let found = match &url.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolve(name, resolver).await?,
        };
        // One address that is not permitted is enough to refuse: a name with a public and a private
        // address is how guards that look at the first are passed.
        for address in &found {
            self.permits(*address)
                .map_err(|class| AddressError::NotPermitted {
                    host: url.host.to_string(),
                    address: *address,
                    class,
                })?;
        }
        let addresses = found.into_iter().take(MAX_ADDRESSES);
        Ok(addresses.map(|ip| (ip, url.port).into()).collect())
    }

    async fn resolve(
        &self,
        name: &str,
        resolver: &dyn Resolver,
    ) -> Result<Vec<IpAddr>, AddressError> {
        let unresolved = |what: String| AddressError::Unresolved {
            host: name.to_owned(),
            what,
        };
        if !self.permits_name(name) {
            return Err(unresolved("it is this machine's own".to_owned()));
        }
        let found = tokio::time::timeout(LOOKUP, resolver.resolve(name)).await;
        let found = found.map_err(|_| unresolved(format!("no answer within {LOOKUP:?}")))?;
        let found = found.map_err(|error| unresolved(error.to_string()))?;
        if found.is_empty() {
            return Err(unresolved("the answer is empty".to_owned()));
        }
        Ok(found)
    }
}

/// Ways to make [`AddressRules`] weaker, all in one place that is easy to search for.
#[derive(Clone, Debug)]
pub struct RulesDanger(AddressRules);

impl RulesDanger {
    /// URLs may lead to this machine, where anything may listen. For tests.
    pub fn allow_loopback(mut self) -> AddressRules {
        self.0.loopback = true;
        self.0
    }
}
