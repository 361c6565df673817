//! A log of JSON lines.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;

use super::verify::{MAX_LINE, read_record, verify};
use super::{AuditError, AuditLog, ChainBroken, Draft, Head, Record};

/// A log that writes one JSON object a line, with one `write_all` and one `flush` a record.
///
/// When a record cannot be written whole, the log stops: whatever was written of it stays the last
/// line, and nothing may follow until a person has looked at it.
pub struct JsonLinesLog<W: Write + Send> {
    state: Mutex<State<W>>,
}

struct State<W> {
    writer: W,
    head: Head,
    stopped: bool,
}

impl<W: Write + Send> JsonLinesLog<W> {
    /// A log that begins a chain.
    pub fn new(writer: W) -> Self {
        Self::after(Head::default(), writer)
    }

    /// A log that continues a chain whose end is `head`.
    pub const fn after(head: Head, writer: W) -> Self {
        Self {
            state: Mutex::new(State {
                writer,
                head,
                stopped: false,
            }),
        }
    }

    /// Where the chain ends now. Kept elsewhere, it proves later that nothing was cut off.
    ///
    /// # Errors
    /// [`AuditError::Stopped`] when the log has stopped.
    pub fn head(&self) -> Result<Head, AuditError> {
        let state = self.state.lock().map_err(|_| AuditError::Stopped)?;
        if state.stopped {
            return Err(AuditError::Stopped);
        }
        Ok(state.head)
    }
}

impl<F: Read + Write + Seek + Send> JsonLinesLog<F> {
    /// A log that continues the one in `file`. Its last line is checked; [`verify`] checks all.
    ///
    /// # Errors
    /// [`AuditError::Broken`] when the last line is not a whole record.
    pub fn resume(mut file: F) -> Result<Self, AuditError> {
        let head = match last_record(&mut file)? {
            Last::Nothing => Head::default(),
            Last::Record(head) => head,
            Last::Broken => return Err(AuditError::Broken(find_broken(&mut file)?)),
        };
        file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        Ok(Self::after(head, file))
    }
}

impl JsonLinesLog<File> {
    /// The log in the file at `path`, made when there is none (readable by its owner only), and
    /// locked against a second writer.
    ///
    /// # Errors
    /// [`AuditError::Write`], [`AuditError::InUse`], or as [`JsonLinesLog::resume`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(AuditError::Write)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => AuditError::InUse,
            TryLockError::Error(error) => AuditError::Write(error),
        })?;
        Self::resume(file)
    }
}

impl<W: Write + Send> AuditLog for JsonLinesLog<W> {
    fn append(&self, draft: Draft) -> Result<Record, AuditError> {
        // A thread that panicked here may have left half a line.
        let mut state = self.state.lock().map_err(|_| AuditError::Stopped)?;
        if state.stopped {
            return Err(AuditError::Stopped);
        }
        let (record, line) = draft.seal(&state.head)?;
        let written = state.writer.write_all(&line);
        if let Err(error) = written.and_then(|()| state.writer.flush()) {
            state.stopped = true;
            return Err(AuditError::Write(error));
        }
        state.head = record.head();
        Ok(record)
    }
}

impl<W: Write + Send> fmt::Debug for JsonLinesLog<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLinesLog").finish_non_exhaustive()
    }
}

enum Last {
    Nothing,
    Record(Head),
    Broken,
}

fn last_record(file: &mut (impl Read + Seek)) -> Result<Last, AuditError> {
    let len = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    if len == 0 {
        return Ok(Last::Nothing);
    }
    // The last line, its line feed and the one before it.
    let start = len.saturating_sub(MAX_LINE as u64 + 2);
    file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let mut end = Vec::new();
    file.take(len - start)
        .read_to_end(&mut end)
        .map_err(unreadable)?;
    if end.pop() != Some(b'\n') {
        return Ok(Last::Broken);
    }
    let begin = end.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
    let record = match begin {
        Some(begin) => read_record(&end[begin..]),
        None if start == 0 => read_record(&end).filter(|record| record.seq == 1),
        None => None,
    };
    Ok(record.map_or(Last::Broken, |record| Last::Record(record.head())))
}

/// Reads the whole log to name the first line that is wrong.
fn find_broken(file: &mut (impl Read + Seek)) -> Result<ChainBroken, AuditError> {
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    match verify(BufReader::new(file)) {
        Err(broken) => Ok(broken),
        // It changed while it was read.
        Ok(summary) => Ok(ChainBroken::Changed {
            line: summary.head.seq,
        }),
    }
}

fn unreadable(error: std::io::Error) -> AuditError {
    AuditError::Broken(ChainBroken::Read { line: 0, error })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::super::testing::{draft, lines};
    use super::super::{conformance, verify_to};
    use super::*;

    /// Counts calls and fails from one of them on.
    #[derive(Default)]
    struct Disk {
        text: Vec<u8>,
        writes: usize,
        flushes: usize,
        room: Option<usize>,
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Disk>>);

    impl Shared {
        fn with<T>(&self, look: impl FnOnce(&mut Disk) -> T) -> T {
            look(&mut self.0.lock().expect("no panic"))
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.with(|disk| {
                disk.writes += 1;
                let room = disk.room.unwrap_or(usize::MAX) - disk.text.len();
                if room == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let taken = bytes.len().min(room);
                disk.text.extend_from_slice(&bytes[..taken]);
                Ok(taken)
            })
        }

        fn flush(&mut self) -> io::Result<()> {
            self.with(|disk| disk.flushes += 1);
            Ok(())
        }
    }

    fn reason<T>(result: Result<T, AuditError>) -> &'static str {
        result.map_or_else(|error| error.reason(), |_| "stored")
    }

    fn resumed(text: &str) -> Result<JsonLinesLog<io::Cursor<Vec<u8>>>, AuditError> {
        JsonLinesLog::resume(io::Cursor::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_json_lines_log_keeps_the_promises() {
        conformance::check(|| Box::new(JsonLinesLog::new(Vec::new())));
    }

    #[test]
    fn a_record_is_one_write_and_one_flush() {
        let disk = Shared::default();
        let log = JsonLinesLog::new(disk.clone());
        for at in 0..3 {
            log.append(draft(&at.to_string())).expect("stored");
        }
        assert_eq!(disk.with(|disk| (disk.writes, disk.flushes)), (3, 3));
        let text = disk.with(|disk| disk.text.clone());
        let summary = verify_to(text.as_slice(), &log.head().expect("runs"));
        assert_eq!(summary.map(|summary| summary.refused).ok(), Some(3));
    }

    #[test]
    fn a_log_that_could_not_write_a_record_stops() {
        let disk = Shared::default();
        let log = JsonLinesLog::new(disk.clone());
        log.append(draft("1")).expect("stored");
        disk.with(|disk| disk.room = Some(disk.text.len() + 10));
        assert_eq!(reason(log.append(draft("2"))), "audit.write");
        disk.with(|disk| disk.room = None);
        assert_eq!(reason(log.append(draft("3"))), "audit.stopped");
        assert_eq!(reason(log.head()), "audit.stopped");
        let text = disk.with(|disk| String::from_utf8(disk.text.clone()).expect("UTF-8"));
        assert_eq!(reason(resumed(&text)), "audit.truncated");
    }

    #[test]
    fn a_log_is_continued_where_it_ended() {
        for n in [0, 1, 2, 300] {
            let written = lines(n);
            let log = resumed(&written.concat()).expect("whole");
            assert_eq!(log.head().expect("runs").seq, n as u64);
            log.append(draft("next")).expect("stored");
            let state = log.state.into_inner().expect("no panic");
            let summary = verify(state.writer.get_ref().as_slice()).expect("whole");
            assert_eq!(summary.head, state.head);
            assert_eq!(summary.head.seq, n as u64 + 1);
        }
    }

    #[test]
    fn a_broken_log_is_not_continued_and_the_line_is_named() {
        let broken = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines(5);
            change(&mut lines);
            match resumed(&lines.concat()) {
                Ok(_) => (0, "continued"),
                Err(AuditError::Broken(broken)) => (broken.line(), broken.reason()),
                Err(other) => (0, other.reason()),
            }
        };
        let cut = broken(&|lines| lines[4] = lines[4].trim_end().to_owned());
        assert_eq!(cut, (5, "audit.truncated"));
        let changed = broken(&|lines| lines[4] = lines[4].replace("record", "Record"));
        assert_eq!(changed, (5, "audit.changed"));
        let empty = broken(&|lines| lines.push("\n".into()));
        assert_eq!(empty, (6, "audit.changed"));
        let long = broken(&|lines| lines.push(format!("{}\n", "x".repeat(MAX_LINE + 1))));
        assert_eq!(long, (6, "audit.changed"));
        let only = broken(&|lines| drop(lines.drain(..4)));
        assert_eq!(only, (1, "audit.dropped"));
    }

    #[test]
    fn a_file_has_one_writer_and_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.jsonl");
        let log = JsonLinesLog::open(&path).expect("a new log");
        log.append(draft("1")).expect("stored");
        assert_eq!(reason(JsonLinesLog::open(&path)), "audit.in_use");
        drop(log);
        let log = JsonLinesLog::open(&path).expect("the same log");
        let record = log.append(draft("2")).expect("stored");
        assert_eq!(record.seq, 2);
        let text = std::fs::read(&path).expect("readable");
        assert!(verify_to(text.as_slice(), &record.head()).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("a file").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
    }
}
