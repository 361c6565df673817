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
