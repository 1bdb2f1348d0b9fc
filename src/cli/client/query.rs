//! Paths with query parameters, percent-encoded.

use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _, path::Path};

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Query(String);

impl Query {
    /// The resource at `path`.
    pub fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The same, with a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        for &byte in value.as_ref() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                self.0.push(byte.into());
            } else {
                let _infallible = write!(self.0, "%{byte:02X}");
            }
        }
        self
    }

    /// The same, with a parameter if there is a value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same, about the project in `dir`.
    #[must_use]
    pub fn dir(self, dir: &Path) -> Self {
        self.with("dir", dir.as_os_str().as_bytes())
    }

    /// The same, about the project in `dir`; none: about all.
    #[must_use]
    pub fn maybe_dir(self, dir: Option<&Path>) -> Self {
        match dir {
            Some(dir) => self.dir(dir),
            None => self,
        }
    }

    /// The same, about these services; none: all.
    #[must_use]
    pub fn services(self, services: &[String]) -> Self {
        services.iter().fold(self, |query, service| query.with("service", service))
    }

    /// As it goes into the request line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_value_holds_stays_a_value() {
        let query = Query::new("/v1/logs").dir(Path::new("/a b&c")).with("grep", "x=\"ü\"?#%");
        assert_eq!(query.as_str(), "/v1/logs?dir=/a%20b%26c&grep=x%3D%22%C3%BC%22%3F%23%25");
    }
}
