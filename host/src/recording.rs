//! `wasmqtt recording`: what a recording says, whether this program's core does the same, and a copy without secrets.
//! What is wrong with a file is said with its name and the offset; a file that was cut off is used up to there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmqtt_sim::recording::{
    BUILD, Describer, Head, Item, MaskError, Placed, PlayError, Player, ReadError, Reader, mask, utc,
};

use crate::cli::RecordingCommand;
use crate::{EXIT_CONFIG, EXIT_FAILED, Failure};

pub fn run(command: &RecordingCommand) -> Result<(), Failure> {
    match command {
        RecordingCommand::Show { file, secrets } => show(file, *secrets),
        RecordingCommand::Replay { file } => replay(file),
        RecordingCommand::Mask { from, to } => mask_file(from, to),
    }
}

/// A mistake in a file, with its name.
fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    (EXIT_CONFIG, format!("{}: {error}", path.display()))
}

fn open(path: &Path) -> Result<Reader<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|error| wrong(path, &error))?;
    Reader::open(BufReader::new(file)).map_err(|error| wrong(path, &error))
}

/// Hands each item on until the end. That the file was cut off is said, and is no mistake.
fn each(
    path: &Path,
    reader: Reader<BufReader<File>>,
    mut item: impl FnMut(Placed) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for placed in reader {
        match placed {
            Ok(placed) => item(placed)?,
            Err(error @ ReadError::CutOff { .. }) => eprintln!("{}: {error}", path.display()),
            Err(error) => return Err(wrong(path, &error)),
        }
    }
    Ok(())
}

fn show(path: &Path, secrets: bool) -> Result<(), Failure> {
    let reader = open(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = show_items(path, reader, secrets, &mut out).and_then(|()| out.flush().map_err(stop));
    match shown {
        Err((EXIT_ENOUGH, _)) => Ok(()),
        other => other,
    }
}

fn show_items(
    path: &Path,
    reader: Reader<BufReader<File>>,
    secrets: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Head { build, .. } = reader.head();
    let ours = if build == BUILD { "this program's core" } else { "another than this program's" };
    writeln!(out, "core           {build}, {ours}").map_err(stop)?;
    writeln!(out, "configuration  {}", reader.head().config_text()).map_err(stop)?;
    let mut describer = Describer::new(secrets);
    let mut begun = false;
    each(path, reader, |placed| {
        if let (Item::Input { at, .. }, false) = (&placed.item, begun) {
            begun = true;
            writeln!(out, "time 0         {}", utc(*at)).map_err(stop)?;
        }
        writeln!(out, "{}", describer.line(&placed)).map_err(stop)
    })
}

/// Stands for a reader of our output that is gone: who reads along has read enough.
const EXIT_ENOUGH: u8 = 0;

fn stop(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => (EXIT_ENOUGH, String::new()),
        _ => (EXIT_FAILED, error.to_string()),
    }
}

fn replay(path: &Path) -> Result<(), Failure> {
    let reader = open(path)?;
    let mut player = Player::new(reader.head());
    if !player.compares() {
        println!("recorded by the core {}, this is {BUILD}", reader.head().build);
        println!("so digests are not compared, and all that is outgoing is taken at the end of each turn");
    }
    let offset = Arc::new(AtomicU64::new(0));
    blame_the_core(path, offset.clone());
    let played = each(path, reader, |placed| {
        offset.store(placed.offset, Ordering::Relaxed);
        player.play(&placed).map_err(|error| match error {
            PlayError::Disagrees { .. } => (EXIT_FAILED, format!("{}: {error}", path.display())),
            PlayError::NotAsked { .. }
            | PlayError::Slot { .. }
            | PlayError::Load { .. }
            | PlayError::Broken { .. }
            | PlayError::Restore { .. } => wrong(path, &error),
        })
    });
    let _ = std::panic::take_hook();
    played?;
    let progress = player.progress();
    println!(
        "replayed {} inputs in {} steps of {} brokers; {} digests agree",
        progress.inputs, progress.steps, progress.begun, progress.digests
    );
    Ok(())
}

/// A core that panics while it replays does what it did when it was recorded, or does worse: either is a disagreement
/// about what a core may do, and where it was is worth more than a backtrace.
fn blame_the_core(path: &Path, offset: Arc<AtomicU64>) {
    let path = path.display().to_string();
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("wasmqtt: {path}: offset {}: the core panicked: {panic}", offset.load(Ordering::Relaxed));
        std::process::exit(EXIT_FAILED.into());
    }));
}

fn mask_file(from: &Path, to: &Path) -> Result<(), Failure> {
    let input = File::open(from).map_err(|error| wrong(from, &error))?;
    let output = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => wrong(to, &"found a file there; allowed: a new name"),
        _ => (EXIT_FAILED, format!("{}: {error}", to.display())),
    })?;
    let masked = mask(BufReader::new(input), BufWriter::new(output)).map_err(|error| match &error {
        MaskError::Write(error) => (EXIT_FAILED, format!("{}: {error}", to.display())),
        MaskError::Read(_) | MaskError::Play(_) | MaskError::Saved { .. } => wrong(from, &error),
    });
    if masked.is_err() {
        // Half a file is of no use to anyone.
        let _ = std::fs::remove_file(to);
    }
    masked.map(drop)
}
