//! What a file of tasks holds after its process was killed in the middle of its work.
//!
//! The test starts itself again as the process that is killed. A kill is the end of the process, not
//! of the machine: what a power cut leaves is up to the disk and `synchronous=FULL`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Failure, World};
use countersign::a2a::{
    A2aError, Message, SendMessageConfiguration, StreamResponse, Task, TaskState, TaskStatus,
};
use countersign::clock::{SystemClock, UnixTime};
use countersign::policy::Owner;
use countersign::server::push::PushSettings;
use countersign::server::store::{SqliteStore, TaskChange, TaskQuery, TaskStore};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, ResumeContext, async_trait};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

/// Long enough for a lease to run out and for a slow machine.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let [_, child, kind, folder, round] = args.as_slice()
        && child == "child"
    {
        let done = be_killed(kind, Path::new(folder), round);
        eprintln!("the child was not killed: {done:?}");
        return ExitCode::FAILURE;
    }
    let tests = vec![
        row(
            "what_was_acknowledged_is_there_after_a_kill",
            what_was_acknowledged_is_there,
        ),
        row(
            "no_accepted_task_is_lost_and_none_runs_twice_after_a_kill",
            no_task_is_lost_and_none_runs_twice,
        ),
        row(
            "an_answer_that_was_taken_is_worked_on_after_a_kill",
            an_answer_is_worked_on,
        ),
        row(
            "a_shutdown_leaves_nothing_beside_the_file",
            a_shutdown_closes_the_file,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn row(name: &str, test: fn() -> Result<(), Failure>) -> Trial {
    Trial::test(name, move || {
        test().map_err(|error| Failed::from(error.to_string()))
    })
}

/// Starts the child, reads `lines` of what it acknowledges and kills it; gives all it had said.
fn killed_after(
    lines: usize,
    kind: &str,
    folder: &Path,
    round: usize,
) -> Result<Vec<String>, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child", kind])
        .arg(folder)
        .arg(round.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("an output")?;
    let mut said = Vec::new();
    for line in BufReader::new(output).lines() {
        said.push(line?);
        if said.len() == lines {
            // SIGKILL: nothing of it runs any more. What is in the pipe was said before.
            child.kill()?;
        }
    }
    let ended = child.wait()?;
    assert!(!ended.success(), "it was killed");
    assert!(
        said.len() >= lines,
        "it said {lines} things before: {said:?}"
    );
    Ok(said)
}

/// What the child does until it is killed.
fn be_killed(kind: &str, folder: &Path, round: &str) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    match kind {
        "store" => runtime.block_on(write_on_and_on(folder, round)),
        "agent" => runtime.block_on(serve_on_and_on(folder)),
        "answered" => runtime.block_on(answer_and_wait(folder)),
        _ => Err("no such child".into()),
    }
}

fn owner() -> Result<Owner, Failure> {
    let text = r#"{"agent":"spiffe://test.example/agent/one","principal":"app"}"#;
    Ok(Owner::from_text(text).ok_or("an owner")?)
}

fn change(id: &str, state: TaskState, expected: u64, events: usize) -> TaskChange {
    let status = TaskStatus::new(state, UnixTime::from_secs(1_000 + expected).into());
    let task = Task::new(id, "context", status);
    let event = Arc::new(StreamResponse::Task(task.clone()));
    TaskChange {
        expected,
        task: task.into(),
        events: vec![event; events],
        work_from: None,
    }
}

/// Tasks that are made and changed until they are over, and a line for each change that is kept.
async fn write_on_and_on(folder: &Path, round: &str) -> Result<(), Failure> {
    let store = SqliteStore::open(folder.join("tasks.db")).await?;
    let owner = owner()?;
    let writers = (0..4).map(|writer| {
        let (store, owner) = (&store, &owner);
        async move {
            for number in 0_u64.. {
                let id = format!("{round}-{writer}-{number}");
                let first = change(&id, TaskState::Working, 0, 1);
                let mut version = store.create(owner, &first, None).await?;
                println!("{id} {version}");
                for state in [
                    TaskState::Working,
                    TaskState::InputRequired,
                    TaskState::Completed,
                ] {
                    let next = change(&id, state, version, number as usize % 4 + 1);
                    version = store.append(owner, &next).await?;
                    println!("{id} {version}");
                }
            }
            Ok::<(), Failure>(())
        }
    });
    futures_util::future::try_join_all(writers).await.map(drop)
}

fn what_was_acknowledged_is_there() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut acknowledged: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..3 {
        for line in killed_after(200, "store", folder.path(), round)? {
            let (id, version) = line.split_once(' ').ok_or("an ID and a version")?;
            acknowledged.insert(id.to_owned(), version.parse()?);
        }
        Runtime::new()?.block_on(check_kept(folder.path(), &acknowledged))?;
    }
    Ok(())
}

async fn check_kept(folder: &Path, acknowledged: &BTreeMap<String, u64>) -> Result<(), Failure> {
    let store = SqliteStore::open(folder.join("tasks.db")).await?;
    let owner = owner()?;
    for (id, version) in acknowledged {
        let kept = TaskStore::get(&store, &owner, id)
            .await?
            .ok_or("it is lost")?;
        assert!(
            kept.version >= *version,
            "{id}: {} of {version}",
            kept.version
        );
        let events = store.events(&owner, id, 0, 99).await?;
        let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
        let want: Vec<u64> = (1..=kept.version).collect();
        assert_eq!(numbers, want, "{id}: whole changes, each with its events");
    }
    // The counts are those of the tasks that are there, each in its state.
    let states = [
        TaskState::Working,
        TaskState::InputRequired,
        TaskState::Completed,
    ];
    for state in states {
        let mut query = TaskQuery {
            state: Some(state),
            page_size: 100,
            ..TaskQuery::default()
        };
        let mut seen = 0;
        loop {
            let page = TaskStore::list(&store, &owner, &query).await?;
            seen += page.tasks.len() as u64;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break assert_eq!(page.total, seen, "{state}"),
            }
        }
    }
    store.close().await;
    Ok(())
}

/// Writes down each time it runs, and then works a moment.
struct Noting(PathBuf);

impl Noting {
    fn note(&self, what: &str, task: &Task, owner: &Owner) {
        let file = OpenOptions::new().append(true).create(true).open(&self.0);
        let line = format!("{what} {} {}\n", task.id, owner.to_text());
        let noted = file.and_then(|mut file: File| file.write_all(line.as_bytes()));
        noted.expect("it is noted");
    }
}

#[async_trait]
impl AgentExecutor for Noting {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        self.note("execute", ctx.task(), ctx.owner());
        if ctx.text() == "ask" {
            events.input_required("Which day?");
            // It hears the answer, and is never done with it.
            ctx.next_message().await;
            std::future::pending::<()>().await;
        }
        events.working();
        let millis = ctx.text().parse().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        events.complete(None);
        Ok(())
    }

    async fn resume(&self, ctx: ResumeContext, events: EventQueue) -> Result<(), A2aError> {
        self.note("resume", ctx.task(), ctx.owner());
        events.complete(None);
        Ok(())
    }
}

async fn agent(folder: &Path) -> Result<(World, SqliteStore), Failure> {
    let store = SqliteStore::open(folder.join("tasks.db")).await?;
    let noting = Noting(folder.join("noted"));
    let clock = Arc::new(SystemClock);
    let world = World::keeping(Arc::new(store.clone()), clock, noting).await?;
    Ok((world, store))
}

/// An agent under load, and a line for each task that it took.
async fn serve_on_and_on(folder: &Path) -> Result<(), Failure> {
    let (world, _) = agent(folder).await?;
    let one = world.client_for("one", "alice").await?;
    let callers = (0..4_u64).map(|caller| {
        let (world, one) = (&world, &one);
        async move {
            for number in 0.. {
                // Some are over before the caller knows, some go on for a while.
                let message = Message::user(countersign::a2a::Part::text(
                    ((caller + number) % 4 * 300).to_string(),
                ));
                let at_once = SendMessageConfiguration {
                    return_immediately: true,
                    ..SendMessageConfiguration::default()
                };
                let call = one.call(world.worker.peer()).configuration(at_once);
                let answer = call.send(message).await?;
                let task = answer.task().ok_or("a task")?;
                println!("{}", task.id);
            }
            Ok::<(), Failure>(())
        }
    });
    futures_util::future::try_join_all(callers).await.map(drop)
}

/// An agent that asks, a caller that answers, and a line when the answer was taken.
async fn answer_and_wait(folder: &Path) -> Result<(), Failure> {
    let (world, _) = agent(folder).await?;
    let one = world.client_for("one", "alice").await?;
    let call = || one.call(world.worker.peer());
    let asked = call().send("ask").await?;
    let asked = asked.task().ok_or("a task")?;
    let at_once = SendMessageConfiguration {
        return_immediately: true,
        ..SendMessageConfiguration::default()
    };
    call()
        .in_task(asked)
        .configuration(at_once)
        .send("Friday")
        .await?;
    println!("{}", asked.id);
    std::future::pending().await
}

/// The noted runs of each task: how often it was executed and resumed.
fn noted(folder: &Path) -> Result<(BTreeMap<String, [usize; 2]>, Owner), Failure> {
    let text = std::fs::read_to_string(folder.join("noted"))?;
    let mut runs: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut owners = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (what, id, owner) = (words.next(), words.next(), words.next());
        let run = runs.entry(id.ok_or("an ID")?.to_owned()).or_default();
        run[usize::from(what == Some("resume"))] += 1;
        owners.insert(owner.ok_or("an owner")?.to_owned());
    }
    let owner = owners.pop_first().ok_or("an owner")?;
    assert!(owners.is_empty(), "all are one caller's");
    Ok((runs, Owner::from_text(&owner).ok_or("an owner")?))
}

fn no_task_is_lost_and_none_runs_twice() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let accepted = killed_after(40, "agent", folder, 0)?;
    let (before, owner) = noted(folder)?;
    Runtime::new()?.block_on(async {
        let store = SqliteStore::open(folder.join("tasks.db")).await?;
        let mut over = BTreeSet::new();
        for id in &accepted {
            let kept = TaskStore::get(&store, &owner, id).await?;
            let kept = kept.ok_or_else(|| format!("{id} is lost"))?;
            assert_eq!(
                before.get(id),
                Some(&[1, 0]),
                "{id} ran once before the kill"
            );
            if kept.task.status.state.is_terminal() {
                over.insert(id.clone());
            }
        }
        store.close().await;
        assert!(
            over.len() < accepted.len(),
            "some were in the middle of their work"
        );

        let (world, store) = agent(folder).await?;
        let all_over = tokio::time::timeout(LIMIT, async {
            for id in &accepted {
                loop {
                    let kept = TaskStore::get(&store, &owner, id).await?;
                    let kept = kept.ok_or_else(|| format!("{id} is lost"))?;
                    if kept.task.status.state.is_terminal() {
                        assert_eq!(kept.task.status.state, TaskState::Completed, "{id}");
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Ok::<(), Failure>(())
        });
        all_over.await??;
        let (runs, _) = noted(folder)?;
        for (id, [executed, resumed]) in &runs {
            assert!(*executed <= 1, "{id} was executed {executed} times");
            assert!(*resumed <= 1, "{id} was resumed {resumed} times");
        }
        for id in &accepted {
            let want = [1, usize::from(!over.contains(id))];
            assert_eq!(runs[id], want, "{id}: goes on once, unless it was over");
        }
        drop(world);
        Ok(())
    })
}

fn an_answer_is_worked_on() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let accepted = killed_after(1, "answered", folder, 0)?;
    let id = accepted.first().ok_or("a task")?;
    let (_, owner) = noted(folder)?;
    Runtime::new()?.block_on(async {
        let (world, store) = agent(folder).await?;
        let kept = || async {
            let kept = TaskStore::get(&store, &owner, id).await?;
            Ok::<_, Failure>(kept.ok_or("it is lost")?.task)
        };
        let said: Vec<_> = kept().await?.history.iter().map(Message::text).collect();
        assert_eq!(said, ["ask", "Which day?", "Friday"], "it was kept");
        let over = tokio::time::timeout(LIMIT, async {
            loop {
                let task = kept().await?;
                if task.status.state.is_terminal() {
                    return Ok::<_, Failure>(task.status.state);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        assert_eq!(over.await??, TaskState::Completed);
        let (runs, _) = noted(folder)?;
        assert_eq!(runs[id], [1, 1], "executed once, and resumed once");
        drop(world);
        Ok(())
    })
}

fn a_shutdown_closes_the_file() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let files = || -> Result<BTreeSet<String>, Failure> {
        let names = std::fs::read_dir(folder)?.map(|entry| {
            let name = entry?.file_name().into_string();
            name.map_err(|_| Failure::from("a name"))
        });
        let names: Result<BTreeSet<String>, Failure> = names.collect();
        Ok(names?.into_iter().filter(|name| name != "noted").collect())
    };
    Runtime::new()?.block_on(async {
        for is_kept in [true, false] {
            let store = SqliteStore::open(folder.join("tasks.db")).await?;
            let clock = Arc::new(SystemClock);
            let noting = Noting(folder.join("noted"));
            let (tasks, configs) = (Arc::new(store.clone()), Arc::new(store.clone()));
            let kept = is_kept.then_some(store);
            let world = World::made(clock, noting, |agent| {
                agent.store(tasks).push(PushSettings::new(configs))
            });
            let world = world.await?;
            let one = world.client_for("one", "alice").await?;
            one.call(world.worker.peer()).send("0").await?;
            world.worker.shutdown().await;
            let Some(store) = kept else {
                assert_eq!(files()?, ["tasks.db".to_owned()].into());
                continue;
            };
            // Whoever has a clone goes on with it.
            let (_, owner) = noted(folder)?;
            let page = TaskStore::list(&store, &owner, &TaskQuery::default()).await?;
            assert_eq!(page.total, 1);
            store.close().await;
        }
        Ok(())
    })
}
