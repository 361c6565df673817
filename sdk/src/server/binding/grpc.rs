//! The gRPC binding (A2A §10): one message in, messages out, how it ended behind them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;

use super::super::handler::Events;
use super::super::refusal::Refusal;
use super::{Binding, Call, read_parameters};
use crate::a2a::grpc::{self, Code, GRPC_TIMEOUT, Status, v03};
use crate::a2a::{self, A2aError, ErrorKind, Version};

/// Protobuf messages over HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Grpc(pub(in crate::server) Version);

/// What an error ends with when it is not the status of its kind.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Ending(Option<Code>);

impl Grpc {
    /// Turns away what is no gRPC at all: no other answer could be read by who sent it.
    pub(in crate::server) fn turn_away(request: &Request) -> Option<Response> {
        if request.version() != http::Version::HTTP_2 {
            return Some(StatusCode::HTTP_VERSION_NOT_SUPPORTED.into_response());
        }
        let media = request.headers().get(CONTENT_TYPE);
        let media = media.and_then(|value| value.to_str().ok());
        let spoken = media.is_some_and(grpc::is_grpc);
        (!spoken).then(|| StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response())
    }
}

impl Binding for Grpc {
    type Exchange = Ending;

    fn read(&self, parts: &Parts, body: &[u8], ending: &mut Ending) -> Result<Call, A2aError> {
        let parameters = read_parameters(parts, self.0)?;
        // The bytes were bounded while they were read.
        let message = grpc::unframe(body, body.len()).map_err(|error| {
            ending.0 = Some(error.code());
            A2aError::new(ErrorKind::InvalidRequest, format!("Invalid frame: {error}"))
        })?;
        let path = parts.uri.path();
        let request = match self.0 {
            Version::V1_0 => grpc::read_request(path, message)?,
            Version::V0_3 => v03::read_request(path, message)?,
        };
        let mut call = Call::new(request, parameters);
        call.time_left = time_left(&parts.headers)?;
        Ok(call)
    }

    fn response(&self, ending: &Ending, response: &a2a::Response) -> Response {
        let written = match self.0 {
            Version::V1_0 => Ok(grpc::write_response(response)),
            Version::V0_3 => v03::write_response(response),
        };
        let message = match written {
            Ok(message) => grpc::frame(&message),
            Err(error) => return self.error(ending, &error),
        };
        let end = trailers(&Status::ok());
        answer(Body::new(StreamBody::new(stream::iter([
            Ok::<_, Infallible>(Frame::data(message)),
            Ok(Frame::trailers(end)),
        ]))))
    }

    fn events(&self, _: Ending, events: Events) -> Response {
        // An error is the last event; the status behind it says so.
        let version = self.0;
        let frames = stream::unfold(Some(events), move |events| async move {
            let mut events = events?;
            Some(match events.next().await {
                Some(Ok(event)) => {
                    let message = match version {
                        Version::V1_0 => grpc::write_event(&event),
                        Version::V0_3 => v03::write_event(&event),
                    };
                    (Frame::data(grpc::frame(&message)), Some(events))
                }
                Some(Err(error)) => (Frame::trailers(trailers(&Status::from(&error))), None),
                None => (Frame::trailers(trailers(&Status::ok())), None),
            })
        });
        let frames = frames.map(Ok::<Frame<Bytes>, Infallible>);
        answer(Body::new(StreamBody::new(frames)))
    }

    fn error(&self, ending: &Ending, error: &A2aError) -> Response {
        let status = Status::from(error);
        refused(&match ending.0 {
            Some(code) => status.with_code(code),
            None => status,
        })
    }

    fn refusal(&self, _: &Ending, refusal: &Refusal) -> Response {
        let mut response = refused(&match refusal.to_a2a() {
            Some(error) => Status::from(&error),
            None => {
                let word = refusal.status().canonical_reason().unwrap_or("Refused");
                let code = Code::from_name(refusal.grpc_status());
                Status::new(code.unwrap_or(Code::Unknown), word)
            }
        });
        refusal.add_challenge(response.headers_mut());
        response
    }
}

/// How long the caller waits, if it says so. Twice said is not said which.
fn time_left(headers: &HeaderMap) -> Result<Option<Duration>, A2aError> {
    let mut all = headers.get_all(GRPC_TIMEOUT).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    let read = first.to_str().ok().and_then(grpc::read_timeout);
    match (read, all.next()) {
        (Some(left), None) => Ok(Some(left)),
        _ => {
            let what = "Invalid grpc-timeout";
            Err(A2aError::new(ErrorKind::InvalidRequest, what))
        }
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(4);
    status.write(&mut trailers);
    trailers
}

/// An answer that begins; its status comes behind its body.
fn answer(body: Body) -> Response {
    const MEDIA: (HeaderName, HeaderValue) =
        (CONTENT_TYPE, HeaderValue::from_static(grpc::CONTENT_TYPE));
    ([MEDIA], body).into_response()
}

/// An answer that is nothing but its status: the headers are the trailers.
fn refused(status: &Status) -> Response {
    let mut response = answer(Body::empty());
    status.write(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::a2a::{GetTaskRequest, Request as Asked};

    const GRPC: Grpc = Grpc(Version::V1_0);

    fn get() -> (&'static str, Vec<u8>) {
        grpc::write_request(&Asked::GetTask(GetTaskRequest {
            id: "t-1".into(),
            ..GetTaskRequest::default()
        }))
    }

    fn parts(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::post(path).header("a2a-version", "1.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_request_is_one_frame_with_its_version_and_its_time() {
        let (path, message) = get();
        let body = grpc::frame(&message);
        let mut ending = Ending::default();
        let call = GRPC.read(&parts(path, &[]), &body, &mut ending);
        assert_eq!(call.expect("a call").time_left, None);
        let headers = [("grpc-timeout", "1500m"), ("te", "trailers")];
        let call = GRPC.read(&parts(path, &headers), &body, &mut ending);
        let left = call.expect("a call").time_left;
        assert_eq!(left, Some(std::time::Duration::from_millis(1500)));
        let mut compressed = body.to_vec();
        compressed[0] = 1;
        let twice = [&body[..], &body].concat();
        let unknown = "/lf.a2a.v1.A2AService/DropTask";
        for (path, headers, body, code) in [
            (path, &[][..], &compressed[..], Code::Unimplemented),
            (path, &[], &twice, Code::InvalidArgument),
            (path, &[], &body[..4], Code::InvalidArgument),
            (path, &[], &message, Code::InvalidArgument),
            (unknown, &[], &body, Code::Unimplemented),
            (
                path,
                &[("grpc-timeout", "1s")],
                &body,
                Code::InvalidArgument,
            ),
            (
                path,
                &[("grpc-timeout", "1S"), ("grpc-timeout", "1H")],
                &body,
                Code::InvalidArgument,
            ),
        ] {
            let mut ending = Ending::default();
            let read = GRPC.read(&parts(path, headers), body, &mut ending);
            let error = read.expect_err("refused");
            let response = GRPC.error(&ending, &error);
            assert_eq!(response.status(), StatusCode::OK);
            let status = Status::read(response.headers()).expect("a status");
            assert_eq!(status.code(), code, "{error}");
        }
        let mut other = parts(path, &[]);
        other
            .headers
            .insert("a2a-version", HeaderValue::from_static("0.3"));
        let read = GRPC.read(&other, &body, &mut ending);
        let kind = read.expect_err("another version").kind();
        assert_eq!(kind, ErrorKind::VersionNotSupported);
    }

    #[test]
    fn only_grpc_over_http_2_is_taken() {
        let request = |version, media: Option<&'static str>| {
            let mut request = http::Request::new(Body::empty());
            *request.version_mut() = version;
            if let Some(media) = media {
                let media = HeaderValue::from_static(media);
                request.headers_mut().insert(CONTENT_TYPE, media);
            }
            Grpc::turn_away(&request).map(|response| response.status().as_u16())
        };
        for (version, media, want) in [
            (http::Version::HTTP_2, Some("application/grpc"), None),
            (http::Version::HTTP_2, Some("application/grpc+proto"), None),
            (http::Version::HTTP_11, Some("application/grpc"), Some(505)),
            (http::Version::HTTP_2, Some("application/json"), Some(415)),
            (http::Version::HTTP_2, None, Some(415)),
        ] {
            assert_eq!(request(version, media), want, "{version:?} {media:?}");
        }
    }

    #[test]
    fn a_refusal_is_a_status_with_its_challenge() {
        for (refusal, code, challenge) in [
            (Refusal::NoPeer, Code::Unauthenticated, Some("Bearer")),
            (
                Refusal::BodyTooLong { max: 1 },
                Code::ResourceExhausted,
                None,
            ),
            (Refusal::BodyTruncated, Code::InvalidArgument, None),
        ] {
            let response = GRPC.refusal(&Ending::default(), &refusal);
            assert_eq!(response.status(), StatusCode::OK);
            let told = response.headers().get("www-authenticate");
            assert_eq!(told.and_then(|v| v.to_str().ok()), challenge);
            let status = Status::read(response.headers()).expect("a status");
            assert_eq!(status.code(), code, "{refusal}");
        }
    }

    #[tokio::test]
    async fn the_status_comes_behind_the_messages() {
        let answered = GRPC.response(&Ending::default(), &a2a::Response::Empty);
        let failing = stream::iter([Err(A2aError::task_not_found())]);
        let failed = GRPC.events(Ending::default(), Events::new(failing));
        let ended = GRPC.events(Ending::default(), Events::new(stream::empty()));
        for (response, body, code) in [
            (answered, &b"\0\0\0\0\0"[..], Code::Ok),
            (failed, b"", Code::NotFound),
            (ended, b"", Code::Ok),
        ] {
            assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
            assert_eq!(Status::read(response.headers()), None);
            let whole = response.into_body().collect().await.expect("a body");
            let status = whole.trailers().and_then(Status::read);
            assert_eq!(status.map(|status| status.code()), Some(code));
            assert_eq!(whole.to_bytes(), body);
        }
    }
}
