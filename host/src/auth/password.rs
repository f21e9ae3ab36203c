//! The password file: a line `user:$argon2id$…` for each user, `#` begins a comment. `wasmqtt passwd` writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Names and password hashes.
#[derive(Clone, Debug)]
pub struct PasswordFile {
    hashes: BTreeMap<String, String>,
    /// Checked for names that nobody has, so that the answer takes equally long.
    nobody: String,
}

/// What is wrong with a password file.
#[derive(Debug)]
pub enum PasswordError {
    /// It can't be read or written.
    Unusable(PathBuf, std::io::Error),
    /// A line is not of the form `user:$argon2id$…`.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The name can't stand in the file.
    Name(String),
    /// The password can't be hashed.
    Hash,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordError::Unusable(path, error) => write!(out, "{}: {error}", path.display()),
            // The line itself is not shown: it may hold a password in clear.
            PasswordError::Line { path, line, why } => {
                write!(out, "{}, line {line}: {why}; allowed: USER:$argon2id$… (see `wasmqtt passwd`)", path.display())
            }
            PasswordError::Name(name) => {
                write!(out, "user name {name:?}: found empty, with a colon or a line break, or beginning with #")
            }
            PasswordError::Hash => write!(out, "this password can't be hashed: it is too long"),
        }
    }
}

impl std::error::Error for PasswordError {}

impl PasswordFile {
    /// A file without users.
    #[must_use]
    pub fn empty() -> Self {
        let nobody = hash(b"nobody").expect("a short password can be hashed");
        PasswordFile { hashes: BTreeMap::new(), nobody }
    }

    /// Reads a password file.
    ///
    /// # Errors
    /// Names the file and the line.
    pub fn read(path: &Path) -> Result<Self, PasswordError> {
        let text = std::fs::read_to_string(path).map_err(|error| PasswordError::Unusable(path.into(), error))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, PasswordError> {
        let mut file = Self::empty();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why| PasswordError::Line { path: path.into(), line: index + 1, why };
            let (user, phc) = line.split_once(':').ok_or_else(|| wrong("found no colon"))?;
            let parsed = PasswordHash::new(phc).map_err(|_| wrong("found no password hash after the colon"))?;
            if !parsed.algorithm.as_str().starts_with("argon2") {
                return Err(wrong("found a hash other than argon2"));
            }
            file.hashes.insert(user.into(), phc.into());
        }
        Ok(file)
    }

    /// Sets the password of a user, new or known.
    ///
    /// # Errors
    /// Fails if the name can't stand in the file.
    pub fn set(&mut self, user: &str, password: &[u8]) -> Result<(), PasswordError> {
        if user.is_empty() || user.contains([':', '\n', '\r']) || user.starts_with('#') {
            return Err(PasswordError::Name(user.into()));
        }
        self.hashes.insert(user.into(), hash(password)?);
        Ok(())
    }

    /// Writes the file anew, readable by its owner only; a reader sees the old one or the new one, whole.
    ///
    /// # Errors
    /// Fails if it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), PasswordError> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut text = String::new();
        for (user, phc) in &self.hashes {
            writeln!(text, "{user}:{phc}").expect("a string can be written");
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&beside).and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| std::fs::rename(&beside, path));
        renamed.map_err(|error| PasswordError::Unusable(path.into(), error))
    }

    /// Whether this is the user's password. Takes equally long for users that don't exist.
    #[must_use]
    pub fn check(&self, user: &str, password: &[u8]) -> bool {
        let known = self.hashes.get(user);
        let phc = PasswordHash::new(known.unwrap_or(&self.nobody));
        let fits = phc.is_ok_and(|phc| Argon2::default().verify_password(password, &phc).is_ok());
        fits && known.is_some()
    }
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password);
    hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_wrong_lines_are_named_without_their_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords");
        let mut file = PasswordFile::empty();
        file.set("anna", b"secret").unwrap();
        file.set("b c", b"").unwrap();
        file.write(&path).unwrap();
        let read = PasswordFile::read(&path).unwrap();
        assert!(read.check("anna", b"secret") && read.check("b c", b"") && !read.check("b c", b"x"));
        assert!(matches!(file.set("a:b", b""), Err(PasswordError::Name(_))));

        let error = PasswordFile::parse("# users\n\nanna:secret\n", Path::new("p")).unwrap_err().to_string();
        assert!(error.starts_with("p, line 3: found no password hash") && !error.contains("secret"), "{error}");
        let error = PasswordFile::parse("anna", Path::new("p")).unwrap_err().to_string();
        assert!(error.starts_with("p, line 1: found no colon"), "{error}");
    }
}
