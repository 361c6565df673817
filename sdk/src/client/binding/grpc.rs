//! The gRPC binding (A2A §10).

use std::time::Duration;

use http::header::{CONTENT_TYPE, TE};
use http::response::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use super::form::{Binding, EventReader, Outgoing, Ready, Told, protocol_error, refusal};
use crate::a2a::grpc::{self, Code, Deframer, GRPC_TIMEOUT, Status, v03};
use crate::a2a::{Operation, Request, Response, ServiceParameters, StreamResponse, Version};
use crate::client::error::ClientError;

/// Protobuf messages over HTTP/2: every operation is a POST to a path of the service, whatever
/// path the interface names.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct Grpc(pub(in crate::client) Version);

impl Binding for Grpc {
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        left: Option<Duration>,
    ) -> Result<Outgoing, ClientError> {
        let (path, message) = match self.0 {
            Version::V1_0 => grpc::write_request(request),
            Version::V0_3 => v03::write_request(request)?,
        };
        let mut parts = interface.clone().into_parts();
        parts.scheme = Some(Scheme::HTTPS);
        parts.path_and_query = Some(PathAndQuery::from_static(path));
        let uri = Uri::from_parts(parts).map_err(|error| ClientError::Answer {
            what: format!("the gRPC interface {interface} is no address: {error}"),
        })?;
        let body = grpc::frame(&message).into();
        let mut outgoing = Outgoing::new(Method::POST, uri, parameters, body)
            .with(CONTENT_TYPE, grpc::CONTENT_TYPE)
            .with(TE, "trailers")
            .over_http2();
        if let Some(left) = left
            && let Ok(left) = HeaderValue::try_from(grpc::write_timeout(left))
        {
            let name = HeaderName::from_static(GRPC_TIMEOUT);
            outgoing.headers.insert(name, left);
        }
        Ok(outgoing)
    }

    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError> {
        ended(told)?;
        let message = grpc::unframe(&told.body, told.body.len()).map_err(|error| frame(&error))?;
        Ok(match self.0 {
            Version::V1_0 => grpc::read_response(operation, message)?,
            Version::V0_3 => v03::read_response(operation, message)?,
        })
    }

    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>> {
        let begins = head.status == StatusCode::OK
            && speaks_grpc(&head.headers)
            && Status::read(&head.headers).is_none();
        begins.then(|| -> Box<dyn EventReader> {
            Box::new(FrameReader {
                frames: Deframer::new(max),
                version: self.0,
            })
        })
    }

    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError> {
        ended(told)?;
        Err(ClientError::Answer {
            what: "a stream without an event".to_owned(),
        })
    }
}

/// How the call ended: nothing, when it was done.
fn ended(told: &Told) -> Result<(), ClientError> {
    let head = &told.head;
    if head.status != StatusCode::OK {
        return Err(refusal(head.status, &head.headers));
    }
    if !speaks_grpc(&head.headers) {
        return Err(ClientError::Answer {
            what: "the content type is not gRPC's".to_owned(),
        });
    }
    // A call that failed at once has its status in the headers.
    let in_head = Status::read(&head.headers).map(|status| (status, &head.headers));
    let behind = told.trailers.as_ref();
    let behind = behind.and_then(|trailers| Some((Status::read(trailers)?, trailers)));
    // The connection broke, or somebody in between dropped the trailers.
    let (status, metadata) = in_head.or(behind).ok_or(ClientError::Truncated)?;
    outcome(status, metadata)
}

fn outcome(status: Status, metadata: &HeaderMap) -> Result<(), ClientError> {
    let code = status.code();
    let Some(error) = status.error() else {
        return Ok(());
    };
    // Who was not let in is told as over HTTP, with the same challenge.
    Err(match code {
        Code::Unauthenticated => refusal(StatusCode::UNAUTHORIZED, metadata),
        Code::PermissionDenied => refusal(StatusCode::FORBIDDEN, metadata),
        Code::ResourceExhausted => refusal(StatusCode::TOO_MANY_REQUESTS, metadata),
        Code::Unavailable => refusal(StatusCode::SERVICE_UNAVAILABLE, metadata),
        _ => protocol_error(error, metadata),
    })
}

fn speaks_grpc(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    media.is_some_and(grpc::is_grpc)
}

fn frame(error: &grpc::FrameError) -> ClientError {
    ClientError::Answer {
        what: format!("frame: {error}"),
    }
}

/// Takes the events out of their frames.
struct FrameReader {
    frames: Deframer,
    version: Version,
}

impl EventReader for FrameReader {
    fn feed(&mut self, piece: &[u8], ready: &mut Ready) {
        self.frames.push(piece);
        loop {
            match self.frames.take() {
                Ok(Some(message)) => {
                    let event = match self.version {
                        Version::V1_0 => grpc::read_event(&message),
                        Version::V0_3 => v03::read_event(&message),
                    };
                    ready.push_back(event.map_err(ClientError::from));
                }
                Ok(None) => return,
                Err(error) => return ready.push_back(Err(frame(&error))),
            }
        }
    }

    fn finish(&mut self, trailers: Option<&HeaderMap>) -> Result<(), ClientError> {
        // A stream that ends without a status was cut off (gRPC over HTTP/2, Responses).
        let trailers = trailers.ok_or(ClientError::Truncated)?;
        let status = Status::read(trailers).ok_or(ClientError::Truncated)?;
        outcome(status, trailers)?;
        self.frames.end().map_err(|_| ClientError::Truncated)
    }
}

#[cfg(test)]
mod tests {
    use http::header::WWW_AUTHENTICATE;

    use super::*;
    use crate::a2a::{A2aError, ErrorKind, GetTaskRequest, Message, Part};
    use crate::client::binding::testing::told;

    const GRPC: Grpc = Grpc(Version::V1_0);

    fn status(error: Option<ErrorKind>) -> HeaderMap {
        let status = match error {
            Some(kind) => Status::from(&A2aError::new(kind, "no")),
            None => Status::ok(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        status.write(&mut headers);
        headers
    }

    fn media() -> HeaderMap {
        let mut headers = status(None);
        headers.remove(grpc::GRPC_STATUS);
        headers
    }

    fn event() -> StreamResponse {
        StreamResponse::Message(Message::agent(Part::text("hi")))
    }

    #[test]
    fn a_request_is_a_post_to_its_method_at_the_interface() {
        let request = Request::GetTask(GetTaskRequest {
            id: "t-1".into(),
            ..GetTaskRequest::default()
        });
        let parameters = ServiceParameters {
            version: Some("1.0".into()),
            extensions: vec!["urn:a".into(), "urn:b".into()],
        };
        for interface in [
            "https://booking.example:8443",
            "https://booking.example:8443/",
            "https://booking.example:8443/a2a?x=1",
            "booking.example:8443",
        ] {
            let interface = interface.parse().expect("a URI");
            let left = Some(Duration::from_millis(1500));
            let made = GRPC.write(&request, &interface, &parameters, left);
            let made = made.expect("a request");
            let uri = "https://booking.example:8443/lf.a2a.v1.A2AService/GetTask";
            assert_eq!(
                (made.method, made.uri.to_string()),
                (Method::POST, uri.into())
            );
            for (name, value) in [
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                ("a2a-version", "1.0"),
                ("a2a-extensions", "urn:a, urn:b"),
                ("grpc-timeout", "1500000u"),
            ] {
                assert_eq!(made.headers[name], value);
            }
            let message = grpc::unframe(&made.body, 1024).expect("a frame");
            let read = grpc::read_request(made.uri.path(), message);
            assert_eq!(read, Ok(request.clone()));
        }
    }

    #[test]
    fn an_answer_is_what_its_status_says() {
        let empty = "\0\0\0\0\0";
        let read = |headers, body: &str, trailers| {
            let mut told = told(200, headers, body);
            told.trailers = trailers;
            let read = GRPC.read(Operation::DeleteTaskPushNotificationConfig, &told);
            read.map_err(|error| error.reason())
        };
        assert_eq!(
            read(media(), empty, Some(status(None))),
            Ok(Response::Empty)
        );
        for (headers, body, trailers, want) in [
            (media(), empty, None, "client.truncated"),
            (media(), empty, Some(media()), "client.truncated"),
            (HeaderMap::new(), empty, Some(status(None)), "client.answer"),
            (media(), "", Some(status(None)), "client.answer"),
            (media(), "\0\0\0\0\x01", Some(status(None)), "client.answer"),
            (media(), "\x01\0\0\0\0", Some(status(None)), "client.answer"),
            (status(None), "", None, "client.answer"),
            (
                media(),
                empty,
                Some(status(Some(ErrorKind::TaskNotFound))),
                "client.agent_error",
            ),
            (
                status(Some(ErrorKind::TaskNotFound)),
                "",
                None,
                "client.agent_error",
            ),
            (
                status(Some(ErrorKind::PermissionDenied)),
                "",
                None,
                "client.refused",
            ),
        ] {
            assert_eq!(read(headers, body, trailers), Err(want));
        }
        let turned_away = GRPC.read(Operation::GetTask, &told(503, HeaderMap::new(), ""));
        assert_eq!(turned_away.map_err(|e| e.reason()), Err("client.busy"));
    }

    #[test]
    fn who_is_not_let_in_is_told_with_the_challenge() {
        let challenge = r#"Bearer error="invalid_token""#;
        let mut headers = status(Some(ErrorKind::Unauthenticated));
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        let (mut behind, mut at_once) = (told(200, media(), ""), told(200, headers.clone(), ""));
        behind.trailers = Some(headers);
        at_once.trailers = None;
        for told in [behind, at_once] {
            for error in [
                GRPC.read(Operation::GetTask, &told).map(drop),
                GRPC.instead_of_events(&told).map(drop),
            ] {
                match error {
                    Err(ClientError::Refused {
                        status: 401,
                        challenge: Some(challenge),
                    }) => assert_eq!(challenge.error(), Some("invalid_token")),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_stream_ends_with_its_status_or_is_cut_off() {
        let head = |headers| told(200, headers, "").head;
        assert!(GRPC.events(&head(status(None)), 1024).is_none());
        assert!(GRPC.events(&head(HeaderMap::new()), 1024).is_none());
        let bytes = grpc::frame(&grpc::write_event(&event()));
        let not_found = status(Some(ErrorKind::TaskNotFound));
        for (bytes, trailers, want) in [
            (&bytes[..], Some(status(None)), Ok(())),
            (&bytes, None, Err("client.truncated")),
            (&bytes, Some(HeaderMap::new()), Err("client.truncated")),
            (&bytes, Some(not_found.clone()), Err("client.agent_error")),
            (&bytes[..9], Some(status(None)), Err("client.truncated")),
            (&bytes[..9], Some(not_found), Err("client.agent_error")),
        ] {
            let mut reader = GRPC.events(&head(media()), 1024).expect("a stream");
            let mut ready = Ready::new();
            for byte in bytes.chunks(1) {
                reader.feed(byte, &mut ready);
            }
            let found = ready.into_iter().map(|event| event.expect("an event"));
            let whole = usize::from(bytes.len() > 9);
            assert_eq!(found.count(), whole);
            let ended = reader.finish(trailers.as_ref());
            assert_eq!(ended.map_err(|e| e.reason()), want);
        }
        let mut reader = GRPC.events(&head(media()), 16).expect("a stream");
        let mut ready = Ready::new();
        reader.feed(&bytes, &mut ready);
        let refused = ready.pop_back().expect("an item").expect_err("too long");
        assert_eq!(refused.reason(), "client.answer");
    }
}
