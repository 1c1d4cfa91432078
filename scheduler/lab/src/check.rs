//! A lab test: what it does with what an exploration found.

use std::fmt::Write as _;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::{env, fs, io, thread};

use asupersync_core::{Cx, TaskFn, TaskOutput};

use crate::explore::{Choices, Explore, Explored, Failure, REPLAY};
use crate::{panics, watch};

impl Explore {
    /// Explores a program as [`run`](Self::run) does, for a test: fails it if a run fails, and says how to
    /// have that run again. With `ASUPERSYNC_LAB_REPLAY` set, only that run is had.
    ///
    /// ```
    /// use asupersync_core::{Cx, sync::Mutex};
    /// use asupersync_lab::Explore;
    /// use std::sync::Arc;
    ///
    /// // In a test of your own:
    /// Explore::optimal().check(async |cx: &Cx| {
    ///     let count = Arc::new(Mutex::new(0));
    ///     let other = count.clone();
    ///     let task = cx.spawn("add", async move |cx| Ok(*other.lock(cx).await? += 1));
    ///     *count.lock(cx).await? += 1;
    ///     task.join().await?;
    ///     assert_eq!(*count.lock(cx).await?, 2);
    ///     Ok(())
    /// });
    /// ```
    ///
    /// A step that does not return for ten seconds ends the process, and is named: `ASUPERSYNC_LAB_PATIENCE`
    /// says how many others, and 0 that it is waited for.
    ///
    /// # Panics
    /// If a run fails, with [`Failure`]'s text; if the variable is no schedule; inside a task of a lab.
    #[track_caller]
    pub fn check<F, R>(&self, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        panics::keep();
        let name = thread::current().name().unwrap_or("a program").to_owned();
        let _watched = watch::begin(&name);
        let explore = match env::var(REPLAY) {
            Ok(line) => match line.parse::<Choices>() {
                Ok(choices) => Explore::replay(choices),
                Err(error) => panic!("{REPLAY}: {error}"),
            },
            Err(_) => self.clone(),
        };
        let found = explore.run(main);
        match &found.failure {
            Some(failure) => panic!("{}", screen(&name, &found, failure, Location::caller())),
            None => println!("{name}: {found}"),
        }
        found
    }
}

/// What failed, who waits for whom, how to have it again, where its picture is, and the steps.
fn screen(name: &str, found: &Explored, failure: &Failure, site: &Location<'_>) -> String {
    let runs = found.traces + found.blocked;
    let mut text = format!("{name}, run {}: {}\n", runs.max(1), failure.message);
    for at in panics::places(&failure.message) {
        let _ = writeln!(text, "  at {at}");
    }
    if !failure.details.is_empty() {
        let _ = writeln!(text, "{}", failure.details.trim_end());
    }
    let package = env::var("CARGO_PKG_NAME").map(|package| format!(" -p {package}")).unwrap_or_default();
    let _ = writeln!(text, "replay: {REPLAY}='{}' cargo test{package} {name}", failure.choices);
    text += &pictures(name, failure, &format!("{site}\n{text}"));
    let _ = write!(text, "{}", failure.timeline.short(MOST));
    text
}

/// The most steps on the first screen; all are in the picture.
const MOST: usize = 60;

/// Writes the pictures of a failing run beside the test's binary, and says where.
fn pictures(name: &str, failure: &Failure, title: &str) -> String {
    let write = || -> io::Result<PathBuf> {
        let binary = env::current_exe()?;
        let folder = binary.parent().unwrap_or(Path::new(".")).join("lab");
        fs::create_dir_all(&folder)?;
        let file = folder.join(name.replace(|char: char| !char.is_ascii_alphanumeric(), "_"));
        // Each at once: another process may fail likewise, or show the last picture.
        let whole = |extension: &str, text: String| {
            let new = file.with_extension(format!("{extension}.{}", std::process::id()));
            fs::write(&new, text)?;
            fs::rename(new, file.with_extension(extension))
        };
        whole("html", failure.timeline.to_html(title))?;
        whole("trace.json", failure.timeline.to_chrome())?;
        whole("replay", format!("{}\n", failure.choices))?;
        Ok(file)
    };
    match write() {
        Ok(file) => format!("picture: {0}.html, for Perfetto: {0}.trace.json\n", file.display()),
        Err(error) => format!("picture: not written: {error}\n"),
    }
}
