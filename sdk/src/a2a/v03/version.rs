//! Which versions are 0.3.

/// The version before 1.0, as `Major.Minor`: what a request without a version means (A2A §3.6.2).
pub const VERSION_V03: &str = "0.3";

/// Whether this is 0.3: an interface's `protocolVersion`, or the version that a request asks for.
/// The patch does not count (A2A §3.6).
///
/// ```
/// use countersign::a2a::v03::is_v03;
/// assert!(is_v03("0.3") && is_v03("0.3.0"));
/// assert!(!is_v03("0.30") && !is_v03("1.0"));
/// ```
pub fn is_v03(version: &str) -> bool {
    major_minor(version).as_deref() == Some(VERSION_V03)
}

/// `0.3.0` as `0.3`; none when it is no version.
pub(super) fn major_minor(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let patch = parts.next();
    let number =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let fits = number(major) && number(minor) && patch.is_none_or(number) && parts.next().is_none();
    fits.then(|| format!("{major}.{minor}"))
}
