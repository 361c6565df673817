//! Slow, large and too many.

use std::time::Instant;

use http::{HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use tokio_rustls::TlsAcceptor;

use super::super::crypto::server_side;
use super::*;
use crate::workload::testing::workload;

const BOOKING: &str = "spiffe://a.test/agent/booking";

fn short() -> ServeOptions {
    ServeOptions {
        handshake_timeout: Duration::from_millis(300),
        header_timeout: Duration::from_millis(500),
        idle_timeout: Duration::from_millis(1500),
        drain: Duration::from_secs(1),
        ..ServeOptions::default()
    }
}

async fn ended(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    let reading = stream.read_to_end(&mut rest);
    let done = tokio::time::timeout(Duration::from_secs(5), reading).await;
    // Closed cleanly or not, it is closed.
    let _ = done.expect("the server hangs up");
    began.elapsed()
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_cut_off() {
    let ca = authority();
    let server = Running::echo(workload(&ca, "/agent/booking").await, short()).await;
    for sent in [&b""[..], &[22, 3, 1, 0, 200, 1]] {
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        stream.write_all(sent).await.expect("sent");
        let took = ended(&mut stream).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(server.refusals(2).await, ["tls.timeout"; 2]);
    let planner = workload(&ca, "/agent/planner").await;
    let transport = transport(&planner, HttpVersion::Auto);
    let to = server.endpoint(BOOKING);
    assert_eq!(word(who_am_i(&transport, &to).await), "fine");
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let to = Endpoint::new(
        base.parse().expect("a URL"),
        BOOKING.parse().expect("an ID"),
    );
    let planner = workload(&authority(), "/agent/planner").await;
    let config = TransportConfig {
        connect_timeout: Duration::from_millis(200),
        ..TransportConfig::default()
    };
    let transport = Transport::new(planner, config);
    let error = who_am_i(&transport, &to.expect("an endpoint")).await;
    let error = error.expect_err("silent");
    assert_eq!(error.reason(), "tls.timeout");
    assert!(!error.may_have_arrived());
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let ca = authority();
    let server = Running::echo(workload(&ca, "/agent/booking").await, short()).await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        let config = TransportConfig {
            http,
            answer_timeout: Duration::from_millis(200),
            ..TransportConfig::default()
        };
        let transport = Transport::new(planner.clone(), config);
        let to = server.endpoint(BOOKING);
        let error = get_from(&transport, &to, "/slow").await.expect_err("slow");
        assert_eq!(error.reason(), "tls.timeout", "{http:?}");
        assert!(error.may_have_arrived());
        assert_eq!(word(who_am_i(&transport, &to).await), "fine");
    }
}

#[tokio::test]
async fn a_header_block_that_trickles_is_cut_off() {
    let ca = authority();
    let server = Running::echo(workload(&ca, "/agent/booking").await, short()).await;
    let planner = workload(&ca, "/agent/planner").await;
    let mut stream = by_hand(&ca, &planner, &server).await;
    let began = Instant::now();
    stream
        .write_all(b"GET /who HTTP/1.1\r\n")
        .await
        .expect("sent");
    let trickle = async {
        while stream.write_all(b"a: b\r\n").await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(5), trickle).await;
    done.expect("the server hangs up");
    let took = began.elapsed();
    let limit = Duration::from_millis(500)..Duration::from_millis(1400);
    assert!(limit.contains(&took), "{took:?}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let ca = authority();
    let server = Running::echo(workload(&ca, "/agent/booking").await, short()).await;
    let planner = workload(&ca, "/agent/planner").await;
    let mut silent = by_hand(&ca, &planner, &server).await;
    let took = ended(&mut silent).await;
    let limit = Duration::from_millis(1300)..Duration::from_secs(3);
    assert!(limit.contains(&took), "{took:?}");

    for http in BOTH {
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        let ticks = get_from(&transport, &to, "/ticks").await.expect("let in");
        let mut body = ticks.response.into_body();
        let reading = async {
            loop {
                body.frame().await.expect("goes on").expect("goes on");
            }
        };
        // Twice the idle limit: an answer on its way is not idleness.
        let read = tokio::time::timeout(Duration::from_secs(3), reading).await;
        assert!(read.is_err(), "{http:?}");
        drop(body);
        if http == HttpVersion::Http2 {
            eventually(|| transport.connections() == 0).await;
        }
        assert_eq!(word(who_am_i(&transport, &to).await), "fine");
    }
}

#[tokio::test]
async fn a_header_block_may_have_64_kib_and_not_a_byte_more() {
    const MAX: usize = 64 << 10;
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for (size, want) in [(MAX, "200"), (MAX + 1, "431")] {
        let mut stream = by_hand(&ca, &planner, &server).await;
        let (head, tail) = ("GET /who HTTP/1.1\r\nHost: x\r\nx: ", "\r\n\r\n");
        let filler = "a".repeat(size - head.len() - tail.len());
        let request = format!("{head}{filler}{tail}");
        assert_eq!(request.len(), size);
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("an answer");
        assert_eq!(&status[9..], want.as_bytes(), "{size}");
    }

    // RFC 9113 §6.5.2: name, value and 32 for each field count.
    let transport = transport(&planner, HttpVersion::Http2);
    let to = server.endpoint(BOOKING);
    let field = |name: &str, value: &str| name.len() + value.len() + 32;
    let pseudo = field(":method", "GET")
        + field(":scheme", "https")
        + field(":authority", to.authority())
        + field(":path", "/who");
    for (size, want) in [
        (MAX, StatusCode::OK),
        (MAX + 1, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        let mut request = Request::get("/who")
            .body(Full::default())
            .expect("a request");
        let filler = "a".repeat(size - pseudo - field("x", ""));
        let filler = HeaderValue::from_str(&filler).expect("a value");
        request.headers_mut().insert("x", filler);
        let received = transport.send(&to, request).await.expect("an answer");
        assert_eq!(received.response.status(), want, "{size}");
    }
}

#[tokio::test]
async fn an_answer_with_too_large_a_header_block_is_refused() {
    let large = || async {
        let filler = HeaderValue::from_str(&"a".repeat(20 << 10)).expect("a value");
        ([("x", filler)], "text")
    };
    let ca = authority();
    let booking = workload(&ca, "/agent/booking").await;
    let router = Router::new().route("/who", get(large));
    let server = Running::start(booking, ServeOptions::default(), router).await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        for (max, want) in [(16 << 10, "tls.http"), (32 << 10, "fine")] {
            let config = TransportConfig {
                http,
                max_response_header: max,
                ..TransportConfig::default()
            };
            let transport = Transport::new(planner.clone(), config);
            let got = get_from(&transport, &server.endpoint(BOOKING), "/who").await;
            assert_eq!(word(got), want, "{http:?} {max}");
        }
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let ca = authority();
    let options = ServeOptions {
        max_connections: 2,
        ..short()
    };
    let server = Running::echo(workload(&ca, "/agent/booking").await, options).await;
    let planner = workload(&ca, "/agent/planner").await;
    let first = by_hand(&ca, &planner, &server).await;
    let second = by_hand(&ca, &planner, &server).await;
    let third = by_hand(&ca, &planner, &server);
    let mut third = Box::pin(third);
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut third).await;
    assert!(waited.is_err());
    drop(first);
    let third = tokio::time::timeout(Duration::from_secs(2), third).await;
    third.expect("its turn came");
    drop(second);
}

#[tokio::test]
async fn silent_connections_do_not_keep_the_others_out() {
    let ca = authority();
    let options = ServeOptions {
        max_connections: 2,
        handshake_timeout: Duration::from_secs(600),
        ..short()
    };
    let server = Running::echo(workload(&ca, "/agent/booking").await, options).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(server.address).await.expect("connects"));
    }
    let planner = workload(&ca, "/agent/planner").await;
    let honest = by_hand(&ca, &planner, &server);
    let honest = tokio::time::timeout(Duration::from_secs(20), honest).await;
    honest.expect("its turn came before the silent ones' deadline");
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_but_not_for_ever() {
    let ca = authority();
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        let mut server = Running::echo(workload(&ca, "/agent/booking").await, short()).await;
        let to = server.endpoint(BOOKING);
        let transport = transport(&planner, http);
        let slow = get_from(&transport, &to, "/slow");
        let endless = get_from(&transport, &to, "/ticks").await.expect("let in");
        let began = Instant::now();
        let stop = server.stop.take().expect("running");
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(stop);
        };
        let (slow, ()) = tokio::join!(slow, stopping);
        let body = slow.expect("finished").response.into_body().collect().await;
        assert_eq!(body.expect("whole").to_bytes(), "done", "{http:?}");
        let mut body = endless.response.into_body();
        let cut = async { while body.frame().await.is_some_and(|frame| frame.is_ok()) {} };
        let cut = tokio::time::timeout(Duration::from_secs(3), cut).await;
        cut.expect("closed at the deadline");
        let took = began.elapsed();
        let limit = Duration::from_secs(1)..Duration::from_secs(2);
        assert!(limit.contains(&took), "{http:?}: {took:?}");
        eventually(|| server.task.is_finished()).await;
        assert_eq!(word(who_am_i(&transport, &to).await), "tls.connect");
    }
}

#[tokio::test]
async fn an_answer_cut_off_without_notice_is_never_complete() {
    let ca = authority();
    let booking = workload(&ca, "/agent/booking").await;
    let planner = workload(&ca, "/agent/planner").await;
    // With a length, in chunks, and up to the end of the connection.
    for head in [
        "Content-Length: 9\r\n",
        "Transfer-Encoding: chunked\r\n",
        "",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let own = booking.current();
        let key = certified_key(own.chain(), own.key()).expect("a key");
        let clock = Arc::clone(booking.clock());
        let verifier = PeerVerifier::of_client(own.bundles().clone(), clock, true);
        let (config, _) = server_side(&key, verifier).expect("a config");
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            let accepting = TlsAcceptor::from(config).accept(stream);
            let mut stream = accepting.await.expect("a handshake");
            assert!(stream.read(&mut [0; 4096]).await.expect("a request") > 0);
            let chunk = if head.starts_with('T') { "4\r\n" } else { "" };
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n{chunk}part");
            stream.write_all(answer.as_bytes()).await.expect("sent");
            stream.flush().await.expect("sent");
            // The socket is closed without the TLS word for the end (RFC 8446 §6.1).
            let (mut socket, _) = stream.into_inner();
            socket.shutdown().await.expect("closed");
        });
        let to = Endpoint::new(
            base.parse().expect("a URL"),
            BOOKING.parse().expect("an ID"),
        );
        let transport = transport(&planner, HttpVersion::Http1);
        let to = to.expect("an endpoint");
        let received = get_from(&transport, &to, "/").await.expect("a head");
        let body = received.response.into_body().collect().await;
        assert!(body.is_err(), "{head:?}");
    }
}
