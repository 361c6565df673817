//! Memory of streams on which nothing happens. The clients are another process, so that what this
//! one has is the server's.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use countersign::a2a::{Operation, Request, Response, SendMessageResponse, SubscribeToTaskRequest};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::common::{Failure, Sender, connect};
use crate::executor::{Obedient, WAIT, WORK};
use crate::stage::{Stage, runtime};
use crate::wire::{Counter, Wire, message};

/// The part that the clients' process is started with.
pub(crate) const CLIENT: &str = "idle-client";

/// As many as HTTP/2 allows at least (RFC 9113 §6.5.2).
const ON_A_CONNECTION: u64 = 100;
/// How long memory is given to settle.
const SETTLE: Duration = Duration::from_secs(2);

/// What becomes of the tasks that are followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// They wait for input; streams subscribe to them.
    Waiting,
    /// They are worked on; the streams are those of their messages.
    Working,
}

impl FromStr for Kind {
    type Err = Failure;

    fn from_str(word: &str) -> Result<Self, Failure> {
        match word {
            "waiting" => Ok(Self::Waiting),
            "working" => Ok(Self::Working),
            _ => Err(format!("{word:?} is neither waiting nor working").into()),
        }
    }
}

/// Bytes of this process that are in memory.
fn resident() -> Result<f64, Failure> {
    const PAGE: f64 = 4096.0;
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages = text.split_whitespace().nth(1).ok_or("no statm")?;
    Ok(pages.parse::<f64>()? * PAGE)
}

/// What the clients say when they are done with a step.
const READY: &str = "ready";

pub(crate) fn run(stage: &Stage, streams: u64, kind: Kind, wire: Wire) -> Result<(), Failure> {
    let agent = stage.plain(Obedient)?;
    let word = match kind {
        Kind::Waiting => "waiting",
        Kind::Working => "working",
    };
    let mut child = Command::new(std::env::current_exe()?)
        .args([CLIENT, &agent.local_addr().to_string()])
        .args([&streams.to_string(), word, wire.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let seen = follow(&mut child);
    // Whatever happened, they are not left behind.
    let _ = child.kill();
    child.wait()?;
    let [start, connected, tasks, open] = seen?;
    let each = |from: f64, to: f64| (to - from) / streams as f64 / 1024.0;
    let mib = 1024.0 * 1024.0;
    println!(
        "{streams} idle streams, {}, {word}: {:.1} MiB at first, {:.1} with connections, \
         {:.1} with tasks, {:.1} with streams",
        wire.name,
        start / mib,
        connected / mib,
        tasks / mib,
        open / mib,
    );
    println!(
        "{:.1} KiB a stream; with its connection and its task {:.1} KiB",
        each(tasks, open),
        each(start, open),
    );
    Ok(())
}

/// Memory at the start and after each step of the clients.
fn follow(child: &mut Child) -> Result<[f64; 4], Failure> {
    let mut told = child.stdin.take().ok_or("no input")?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let mut seen = [resident()?; 4];
    for after in &mut seen[1..] {
        writeln!(told, "go on")?;
        let line = lines.next().ok_or("the clients ended")??;
        if line != READY {
            return Err(line.into());
        }
        std::thread::sleep(SETTLE);
        *after = resident()?;
    }
    Ok(seen)
}

/// The clients' process: a step for each line it is told.
pub(crate) fn client(args: &[&str]) -> Result<(), Failure> {
    let &[address, streams, kind, wire] = args else {
        return Err("the address, the streams, the kind and the wire".into());
    };
    let wires = crate::wire::ALL;
    let wire = wires.into_iter().find(|known| known.name == wire);
    let wire = wire.ok_or("no such wire")?;
    let (address, streams, kind) = (address.parse()?, streams.parse()?, kind.parse()?);
    runtime("clients")?.block_on(async {
        let mut clients = Clients {
            address,
            wire,
            senders: Vec::new(),
        };
        step()?;
        clients.connect(streams).await?;
        done();
        step()?;
        let word = if kind == Kind::Waiting { WAIT } else { WORK };
        let send = message(word.to_owned());
        let asked: Vec<Request> = match kind {
            Kind::Waiting => {
                let ids = clients.tasks(streams, &Request::SendMessage(send)).await?;
                ids.into_iter().map(subscription).collect()
            }
            Kind::Working => {
                let count = usize::try_from(streams)?;
                vec![Request::SendStreamingMessage(send); count]
            }
        };
        done();
        step()?;
        let open = clients.open(asked).await?;
        done();
        // They stay open until this process is ended.
        let ended = step();
        drop(open);
        ended
    })
}

fn step() -> Result<(), Failure> {
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn done() {
    println!("{READY}");
}

fn subscription(id: String) -> Request {
    let tenant = None;
    Request::SubscribeToTask(SubscribeToTaskRequest { tenant, id })
}

struct Clients {
    address: SocketAddr,
    wire: Wire,
    senders: Vec<hyper::client::conn::http2::SendRequest<Full<Bytes>>>,
}

impl Clients {
    async fn connect(&mut self, streams: u64) -> Result<(), Failure> {
        for _ in 0..streams.div_ceil(ON_A_CONNECTION) {
            match connect(self.address, self.wire.version, None).await? {
                Sender::Http2(sender) => self.senders.push(sender),
                Sender::Http1(_) => return Err("not over HTTP/1.1".into()),
            }
        }
        Ok(())
    }

    fn written(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
        let origin = format!("http://{}", self.address);
        Ok(self.wire.write(&origin, request)?.map(Full::new))
    }

    /// Makes that many tasks.
    async fn tasks(&self, count: u64, request: &Request) -> Result<Vec<String>, Failure> {
        let mut made = Vec::new();
        for n in 0..count {
            let at = usize::try_from(n % self.senders.len() as u64)?;
            let mut sender = self.senders[at].clone();
            let response = sender.send_request(self.written(request)?).await?;
            let body = response.into_body().collect().await?.to_bytes();
            match self.wire.read(Operation::SendMessage, &body)? {
                Response::SendMessage(SendMessageResponse::Task(task)) => made.push(task.id),
                other => return Err(format!("no task: {other:?}").into()),
            }
        }
        Ok(made)
    }

    /// Opens a stream for each request, and waits for its first event.
    async fn open(&self, asked: Vec<Request>) -> Result<Vec<Incoming>, Failure> {
        let mut opening = JoinSet::new();
        for (n, request) in asked.iter().enumerate() {
            let mut sender = self.senders[n / usize::try_from(ON_A_CONNECTION)?].clone();
            let request = self.written(request)?;
            let mut counter = Counter::new(self.wire.binding);
            opening.spawn(async move {
                sender.ready().await?;
                let response = sender.send_request(request).await?;
                let status = response.status();
                let mut body = response.into_body();
                let mut events = 0;
                while events == 0 {
                    let frame = body.frame().await;
                    let frame = frame.ok_or_else(|| format!("{status}, and no event"))??;
                    if let Ok(piece) = frame.into_data() {
                        events += counter.count(&piece)?;
                    }
                }
                Ok::<_, Failure>(body)
            });
        }
        let mut open = Vec::new();
        while let Some(opened) = opening.join_next().await {
            open.push(opened??);
        }
        Ok(open)
    }
}
