//! The whole corpus of scenarios in headless Chromium, on the core that the npm package ships: transcripts as expected,
//! and after each story the digest of the core in this process. One test for all, since a browser takes a second to
//! start; `cargo nextest run --test browser --no-capture` prints the count.

use std::rc::Rc;

use libtest_mimic::{Arguments, Failed, Trial};
use wasmqtt_sim::{Target, tell};
use wasmqtt_tests::corpus::{self, File};
use wasmqtt_tests::target::browser::Page;
use wasmqtt_tests::target::native;

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, vec![Trial::test("browser", browser)]).exit();
}

fn browser() -> Result<(), Failed> {
    let files = corpus::files().map_err(|error| format!("the corpus can't be read: {error}"))?;
    let page = Page::open()?;
    let (mut told, mut left_out, mut failures) = (0, Vec::new(), Vec::new());
    for file in &files {
        match check(&page, file) {
            Ok(Told::Equal) => told += 1,
            Ok(Told::LeftOut(why)) => left_out.push(format!("{}: {why}", file.name)),
            Err(error) => failures.push(format!("browser::{}: {error}", file.name)),
        }
    }
    println!("browser: {told} stories, digests equal to native; {} left out", left_out.len());
    left_out.iter().for_each(|story| println!("left out: {story}"));
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("{} of {} stories failed\n{}", failures.len(), files.len(), failures.join("\n")).into()),
    }
}

/// What came of a story.
enum Told {
    Equal,
    LeftOut(&'static str),
}

fn check(page: &Rc<Page>, file: &File) -> Result<Told, String> {
    let (_, story) = file.read()?;
    if !story.targets.is_empty() && !story.targets.iter().any(|target| target == "native") {
        return Ok(Told::LeftOut("it names targets, and none has the core behind a virtual clock"));
    }
    let mut driver = page.driver(&story.config).map_err(|error| error.to_string())?;
    let seen = tell(&story, &mut driver).map_err(|error| error.to_string())?;
    if let Some(difference) = seen.differs_from(&story.expected) {
        return Err(format!("{} ({})\nexpected -, seen +\n{difference}", file.path.display(), story.title));
    }
    let mut native = native::driver(&story);
    tell(&story, &mut native).map_err(|error| error.to_string())?;
    let digests = (native.digest(), driver.digest());
    match digests.0.is_some() && digests.0 == digests.1 {
        true => Ok(Told::Equal),
        false => Err(format!("after the story: native {:x?}, browser {:x?}", digests.0, digests.1)),
    }
}
