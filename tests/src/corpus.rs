//! The scenario files, and one of them told to one target: the unit that test runners show as a test of its own.

use std::path::{Path, PathBuf};
use std::{fs, io};

use wasmqtt_sim::{Scenario, Target, TargetError, Transcript, tell};

/// A scenario file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path below the corpus without the ending, such as `connect/takeover`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Makes the target that a story is told to.
pub type Make = fn(&Scenario) -> Result<Box<dyn Target>, TargetError>;

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// All scenario files, in order of their names.
pub fn files() -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(&folder(), &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "scenario") {
            let below = path.strip_prefix(self::folder()).unwrap_or(&path).with_extension("");
            files.push(File { name: below.to_string_lossy().replace('\\', "/"), path });
        }
    }
    Ok(())
}

impl File {
    /// Reads the story; a mistake in it is said with file and line.
    pub fn read(&self) -> Result<(String, Scenario), String> {
        let text = fs::read_to_string(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))?;
        let scenario = Scenario::parse(&text).map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok((text, scenario))
    }

    /// Tells the story to a target and compares. With `UPDATE_EXPECT=1` the answer is written into the file instead.
    pub fn check(&self, make: Make) -> Result<(), String> {
        self.check_as(make, |_| {})
    }

    /// The same with the story changed in a way that must not change its transcript.
    pub fn check_as(&self, make: Make, change: impl Fn(&mut Scenario)) -> Result<(), String> {
        let (text, mut scenario) = self.read()?;
        change(&mut scenario);
        let mut target = make(&scenario).map_err(|error| error.to_string())?;
        let seen = tell(&scenario, target.as_mut()).map_err(|error| format!("{}, {error}", self.path.display()))?;
        let Some(difference) = seen.differs_from(&scenario.expected) else { return Ok(()) };
        if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
            return self.update(&text, &scenario, &seen);
        }
        Err(format!("{} ({})\nexpected -, seen +\n{difference}", self.path.display(), scenario.title))
    }

    fn update(&self, text: &str, scenario: &Scenario, seen: &Transcript) -> Result<(), String> {
        let story = &text[..text.len() - scenario.expected.len()];
        fs::write(&self.path, format!("{story}{}", seen.over(&scenario.expected))).map_err(|error| error.to_string())
    }
}
