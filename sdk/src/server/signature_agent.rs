//! Routes for what a signature agent publishes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderMap, Method, StatusCode};

use crate::clock::Clock;
use crate::httpsig::directory::KeyDirectory;
use crate::httpsig::{DIRECTORY_PATH, ServedDocument};

/// The key directory of a signature agent at its well-known path, for an application's own routes.
/// It is to be served over TLS, to everybody.
///
/// ```
/// use std::sync::Arc;
/// use countersign::clock::{Clock as _, SystemClock};
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::Origin;
/// use countersign::httpsig::directory::{KeyDirectory, KeyRing};
/// use countersign::httpsig::signature_agent::SignatureAgentCard;
/// use countersign::server::{document_route, key_directory_route};
///
/// let now = SystemClock.now();
/// let ring = KeyRing::new(SigningKey::generate(Algorithm::Ed25519)?, now);
/// let keys = Arc::new(KeyDirectory::new(ring, Origin::https("bot.example")));
/// let card = SignatureAgentCard::new("https://bot.example/card")
///     .jwks_uri("https://bot.example/.well-known/http-message-signatures-directory");
/// let routes: axum::Router = key_directory_route(keys, Arc::new(SystemClock))
///     .merge(document_route("/card", card.to_served(now)));
/// # Ok::<(), countersign::crypto::KeyError>(())
/// ```
pub fn key_directory_route(directory: Arc<KeyDirectory>, clock: Arc<dyn Clock>) -> Router {
    let serve = move |method: Method, headers: HeaderMap| async move {
        match directory.answer(&method, &headers, clock.now()) {
            Ok(answer) => answer.map(Body::from),
            Err(error) => {
                tracing::error!(%error, "the key directory cannot be signed");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    };
    Router::new().route(DIRECTORY_PATH, any(serve))
}

/// A signature agent card or a registry at `path`, for an application's own routes.
///
/// # Panics
/// When `path` is no path of a route.
pub fn document_route(path: &str, document: ServedDocument) -> Router {
    let document = Arc::new(document);
    let serve = move |method: Method, headers: HeaderMap| async move {
        let answer: Response = document.answer(&method, &headers).map(Body::from);
        answer
    };
    Router::new().route(path, any(serve))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use countersign_fixtures::ca::Ca;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::*;
    use crate::clock::{Skew, SystemClock};
    use crate::crypto::{Algorithm, SigningKey};
    use crate::discovery::{DirectoryResolver, fetch_card, fetch_registry};
    use crate::httpsig::Origin;
    use crate::httpsig::directory::{DirectoryUrl, KeyRing, Rotation, verify_proof};
    use crate::httpsig::signature_agent::{Registry, SignatureAgentCard};
    use crate::web::testing::{Names, acceptor};
    use crate::web::{AddressRules, Fetcher};

    struct Listener(TcpListener, TlsAcceptor);

    impl axum::serve::Listener for Listener {
        type Io = TlsStream<TcpStream>;
        type Addr = SocketAddr;

        async fn accept(&mut self) -> (Self::Io, SocketAddr) {
            loop {
                if let Ok((stream, address)) = self.0.accept().await
                    && let Ok(stream) = self.1.accept(stream).await
                {
                    return (stream, address);
                }
            }
        }

        fn local_addr(&self) -> std::io::Result<SocketAddr> {
            self.0.local_addr()
        }
    }

    #[tokio::test]
    async fn what_is_served_is_found_by_those_who_look_for_it() {
        let ca = Ca::new("web.example");
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = tcp.local_addr().expect("an address").port();
        let origin = Origin::https(format!("bot.example:{port}"));
        let at = format!("https://{}", origin.authority);
        let clock = Arc::new(SystemClock);
        let now = clock.now();
        let [one, two] = [1, 2].map(|_| {
            let key = SigningKey::generate(Algorithm::Ed25519);
            Arc::new(key.expect("a key"))
        });
        let keys = KeyDirectory::new(KeyRing::new(one.clone(), now), origin.clone());
        let keys = Arc::new(keys);
        let card = SignatureAgentCard::new(format!("{at}/card"));
        let card = card.jwks_uri(format!("{at}{DIRECTORY_PATH}"));
        let registry = Registry::default().with(&card.client_id).expect("a URL");
        let routes = key_directory_route(keys.clone(), clock.clone())
            .merge(document_route("/card", card.to_served(now)))
            .merge(document_route("/registry", registry.to_served(now)));
        let listener = Listener(tcp, acceptor(&ca, &["bot.example"]));
        tokio::spawn(async move { axum::serve(listener, routes).await });

        let names = Arc::new(Names::default());
        names.say("bot.example", &[&["127.0.0.1"]]);
        let fetcher = Fetcher::new(AddressRules::default().danger().allow_loopback())
            .resolver(names)
            .roots(vec![ca.root().clone()]);
        let (listed, warnings) = fetch_registry(&fetcher, &format!("{at}/registry"))
            .await
            .expect("a registry");
        assert_eq!((&listed, warnings.len()), (&registry, 0));
        let (read, warnings) = fetch_card(&fetcher, listed.entries()[0].as_str())
            .await
            .expect("a card");
        assert_eq!((&read, warnings.len()), (&card, 0));

        keys.rotate(two.clone(), now, Rotation::default())
            .expect("there is room");
        let there = DirectoryUrl::of_origin(&at).expect("an origin");
        assert_eq!(Some(there.identifier()), read.jwks_uri);
        let fetched = fetcher
            .get(there.url(), "*/*", 64 << 10)
            .await
            .expect("one");
        let resolver = DirectoryResolver::new(fetcher, clock.clone());
        for key in [&one, &two] {
            let public = key.verifying_key();
            let found = resolver.key(&there, public.thumbprint()).await;
            assert_eq!(found.expect("it is there").key, public.into());
            let (headers, body) = (&fetched.headers, &fetched.body);
            let skew = Skew::default();
            verify_proof(headers, body, &origin, public, clock.now(), skew).expect("a proof");
        }
        let directory = resolver.directory(&there).await.expect("a directory");
        assert_eq!(directory.keys().warnings(), []);
    }
}
