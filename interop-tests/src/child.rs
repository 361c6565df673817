//! Running a program to its end, but never longer than allowed.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why a program gave no answer.
#[derive(Debug)]
pub enum RunError {
    /// It could not be started, or its pipes failed.
    Io(std::io::Error),
    /// It was still running when its time was up, and was killed.
    TooSlow {
        /// How long it had.
        limit: Duration,
    },
    /// It ended with a failure.
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What it printed on its standard output.
        stdout: String,
        /// What it printed on its standard error.
        stderr: String,
    },
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "could not be run: {error}"),
            Self::TooSlow { limit } => write!(f, "still running after {limit:?}"),
            Self::Failed {
                status,
                stdout,
                stderr,
            } => write!(f, "{status}: {} {}", stdout.trim(), stderr.trim()),
        }
    }
}

impl std::error::Error for RunError {}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// A child that does not outlive the function that started it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail only when the child has ended and was waited for, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `command` with `input` on its standard input and returns its standard output.
///
/// # Errors
/// When it cannot be started, runs longer than `limit`, or does not end with success.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Result<String, RunError> {
    let deadline = Instant::now() + limit;
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Killed(command.spawn()?);
    let stdout = child.0.stdout.take().map(read_all);
    let stderr = child.0.stderr.take().map(read_all);
    if let Some(mut stdin) = child.0.stdin.take() {
        let input = input.to_vec();
        // A child that ends without reading its input is judged by its exit status.
        thread::spawn(move || stdin.write_all(&input));
    }
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            return Err(RunError::TooSlow { limit });
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (stdout, stderr) = (text_of(stdout), text_of(stderr));
    if status.success() {
        Ok(stdout)
    } else {
        Err(RunError::Failed {
            status,
            stdout,
            stderr,
        })
    }
}

type Reading = thread::JoinHandle<Vec<u8>>;

fn read_all(mut pipe: impl Read + Send + 'static) -> Reading {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn text_of(reading: Option<Reading>) -> String {
    let bytes = reading.and_then(|reading| reading.join().ok());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_output_of_a_program_that_reads_its_input_comes_back() {
        let output = run(&mut shell("cat"), b"text", Duration::from_secs(10));
        assert_eq!(output.expect("cat succeeds"), "text");
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed() {
        let started = Instant::now();
        let error = run(&mut shell("exec sleep 30"), b"", Duration::from_millis(50));
        assert!(matches!(error, Err(RunError::TooSlow { .. })), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failing_program_says_what_it_printed() {
        let script = "echo out; echo why >&2; exit 3";
        let error = run(&mut shell(script), b"", Duration::from_secs(10));
        let error = error.expect_err("it exits with 3").to_string();
        assert!(error.contains('3') && error.contains("out why"), "{error}");
    }
}
