//! Where a name leads.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks names up. What it says is checked each time, and the connection goes to the very address
/// that was checked.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, in the order in which they are to be tried.
    ///
    /// # Errors
    /// When the name cannot be looked up.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
