//! gRPC requests of our binding.

use bytes::Bytes;
use http_body_util::Full;
use tower_layer::Layer as _;
use tower_service::Service;

use super::*;
use crate::a2a::grpc;
use crate::a2a::{self, Message, Part, SendMessageRequest};

/// A unary call is one message, so the whole body is signed like any other.
#[tokio::test]
async fn a_unary_grpc_request_is_verified_with_its_message() {
    let key = key();
    let message = Message::user(Part::text("two seats"));
    let request = a2a::Request::SendMessage(SendMessageRequest::new(message));
    let (path, written) = grpc::write_request(&request);
    let framed = grpc::frame(&written);
    let app = Router::new().fallback(async move |known: Recognition, body: Bytes| {
        let covered = known.verified().is_some_and(Recognized::covers_body);
        let read = grpc::unframe(&body, 1 << 20).expect("a frame");
        let read = grpc::read_request(path, read).expect("a request");
        format!("{} {covered} {:?}", known.word(), read.operation())
    });
    let mut server = app.layer(layer(&key, Profile::a2a()));
    let call = |body: Bytes| {
        Request::post(format!("https://shop.example{path}"))
            .header("content-type", grpc::CONTENT_TYPE)
            .header("te", "trailers")
            .body(Full::new(body))
            .expect("a request")
    };
    let signer = RequestSigner::from(signer(&key, Profile::a2a()));
    let signer = signer.clock(Arc::new(ManualClock::at(NOW)));
    let mut client = SignRequests::new(signer.clone()).layer(server.clone());
    let answer = client.call(call(framed.clone())).await.expect("an answer");
    let (_, _, text) = in_whole(answer).await;
    assert_eq!(text, "verified true SendMessage");

    // Another message under the same signature.
    let (mut parts, _) = call(framed.clone()).into_parts();
    signer
        .sign(&mut parts, &framed, None)
        .await
        .expect("a signature");
    let mut changed = framed.to_vec();
    *changed.last_mut().expect("a byte") ^= 1;
    let answer = server
        .call(Request::from_parts(parts, Body::from(changed)))
        .await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::FORBIDDEN);
}
