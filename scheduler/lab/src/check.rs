//! A lab test: what it does with what an exploration found.

use std::panic::{self, Location};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs, io, thread};

use asupersync_core::{Cx, TaskFn, TaskOutput};

use crate::explore::{Choices, Explore, Explored, Failure, REPLAY};

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
    /// # Panics
    /// If a run fails, with [`Failure`]'s text; if the variable is no schedule; inside a task of a lab.
    #[track_caller]
    pub fn check<F, R>(&self, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        quiet();
        let explore = match env::var(REPLAY) {
            Ok(line) => match line.parse::<Choices>() {
                Ok(choices) => Explore::replay(choices),
                Err(error) => panic!("{REPLAY}: {error}"),
            },
            Err(_) => self.clone(),
        };
        let found = explore.run(main);
        if let Some(failure) = &found.failure {
            let name = thread::current().name().unwrap_or("a program").to_owned();
            let pictures = pictures(&name, failure, Location::caller());
            let runs = found.traces + found.blocked;
            panic!("{name}, run {runs}: {failure}{pictures}");
        }
        found
    }
}

/// Writes the pictures of a failing run beside the test's binary, and says where.
fn pictures(name: &str, failure: &Failure, site: &Location<'_>) -> String {
    let write = || -> io::Result<PathBuf> {
        let binary = env::current_exe()?;
        let folder = binary.parent().unwrap_or(Path::new(".")).join("lab");
        fs::create_dir_all(&folder)?;
        let file = folder.join(name.replace(|char: char| !char.is_ascii_alphanumeric(), "_"));
        let title = format!(
            "{name} ({site})\n{}\n{}\n{REPLAY}='{}'",
            failure.message, failure.details, failure.choices
        );
        // Each at once: another process may fail likewise, or show the last picture.
        let whole = |extension: &str, text: String| {
            let new = file.with_extension(format!("{extension}.{}", std::process::id()));
            fs::write(&new, text)?;
            fs::rename(new, file.with_extension(extension))
        };
        whole("html", failure.timeline.to_html(&title))?;
        whole("trace.json", failure.timeline.to_chrome())?;
        whole("replay", format!("{}\n", failure.choices))?;
        Ok(file)
    };
    match write() {
        Ok(file) => format!("picture: {0}.html, for Perfetto: {0}.trace.json\n", file.display()),
        Err(error) => format!("picture: not written: {error}\n"),
    }
}

/// Panics of tasks in a lab are outcomes, and told there: many runs of a failing search would print many.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !crate::lab::is_running() {
                before(info);
            }
        }));
    });
}
