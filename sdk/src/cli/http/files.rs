//! Files that are read and written.

use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Read, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::outcome::Stop;

/// The most bytes of a message.
pub(super) const MAX_MESSAGE: u64 = 64 << 20;
/// The most bytes of a key, a document or certificates.
pub(super) const MAX_DOCUMENT: u64 = 1 << 20;

/// Reads a file, `-` is standard input. It may be a secret, so it is wiped.
pub(super) fn read(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, Stop> {
    let failed = |what: &dyn std::fmt::Display| {
        let what = format!("{}: {what}", path.display());
        Stop::failed(
            "cli.file",
            what,
            "name a file that can be read, or - for standard input",
        )
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        let input = std::io::stdin();
        if input.is_terminal() {
            return Err(Stop::usage(
                "nothing on standard input",
                "pipe the file into it, or name the file",
            ));
        }
        input.take(max + 1).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
        file.take(max + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| failed(&error))?;
    if bytes.len() as u64 > max {
        return Err(failed(&format_args!("more than {max} bytes")));
    }
    Ok(bytes)
}

/// Writes a new file that only its owner can read. What is there is never written over.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), Stop> {
    let failed = |error: std::io::Error| {
        let what = format!("{}: {error}", path.display());
        let advice = "name another file with --out: one that is there is not written over";
        Stop::failed("cli.file", what, advice)
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Writes bytes to standard output as they are.
pub(super) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    match written {
        // A reader that went away wants no more.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Stop::failed(
            "cli.file",
            error,
            "see what standard output is connected to",
        )),
        _ => Ok(()),
    }
}
