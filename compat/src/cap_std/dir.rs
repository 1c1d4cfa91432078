//! A directory that nothing leads out of, with operations that do not block their thread.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use asupersync_core::Cx;
use asupersync_core::caps::HasFs;
use asupersync_core::io::Fs;
use cap_std::AmbientAuthority;
use cap_std::fs::{self, FileType, Metadata};

const OPEN_DIR: &str = "open directory";

/// A directory, and what is below it. Paths are relative to it; one that leads out of it, by `..`, from
/// the root or through a symbolic link, is refused with `PermissionDenied`.
///
/// Whoever has it needs no other capability: the `Cx` of an operation gives it a scope to be cancelled
/// in. Where that may not use files [at run time](asupersync_core::caps::Effect::Fs), the operation is
/// refused.
///
/// # Cancel safety
/// Each operation is one job on a thread that may block. At Request, one that has not begun never does,
/// and one that has is waited for, until the drain budget is spent. Dropped, the same: either nothing
/// was done, or all of it will be, and the region does not close before.
///
/// # Errors
/// Each operation's: the system's, with the path in the message; `PermissionDenied` for a path that
/// leads out, or where files may not be used; a cancellation at Request.
#[derive(Clone)]
pub struct Dir {
    fs: Fs,
    dir: Arc<fs::Dir>,
    path: Arc<Path>,
}

/// What a directory contains under one name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// A file, a directory, a symbolic link or something else.
    pub file_type: FileType,
}

impl Dir {
    /// Opens a directory anywhere.
    ///
    /// # Errors
    /// As of [`Dir`]; any path may be opened.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn open_ambient<C: HasFs>(
        cx: &Cx<C>,
        path: impl AsRef<Path>,
        authority: AmbientAuthority,
    ) -> io::Result<Dir> {
        let (fs, path) = (cx.fs(), Arc::<Path>::from(path.as_ref()));
        let opened = path.clone();
        let open = move || fs::Dir::open_ambient_dir(&opened, authority).map_err(named(OPEN_DIR, &opened));
        let dir = fs.run(cx, OPEN_DIR, open).await?;
        Ok(Dir { fs, dir: Arc::new(dir), path })
    }

    /// A directory of cap-std's that is open already.
    pub fn new<C: HasFs>(cx: &Cx<C>, dir: fs::Dir) -> Dir {
        Dir { fs: cx.fs(), dir: Arc::new(dir), path: Path::new("").into() }
    }

    /// Opens a directory within this one.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn open_dir<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<Dir> {
        let path = path.as_ref();
        let dir = self.at(cx, OPEN_DIR, path, fs::Dir::open_dir).await?;
        Ok(Dir { fs: self.fs.clone(), dir: Arc::new(dir), path: self.path.join(path).into() })
    }

    /// All of a file.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn read<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        self.at(cx, "read", path.as_ref(), fs::Dir::read).await
    }

    /// All of a file that is text.
    ///
    /// # Errors
    /// As of [`Dir`]; `InvalidData` if it is not UTF-8.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn read_to_string<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<String> {
        self.at(cx, "read", path.as_ref(), fs::Dir::read_to_string).await
    }

    /// Makes a file what `contents` is; creates it if it is not there.
    ///
    /// # Errors
    /// As of [`Dir`]. Part of the contents may have been written.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn write<C>(
        &self,
        cx: &Cx<C>,
        path: impl AsRef<Path>,
        contents: impl Into<Vec<u8>>,
    ) -> io::Result<()> {
        let contents = contents.into();
        self.at(cx, "write", path.as_ref(), move |dir, path| dir.write(path, contents)).await
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// As of [`Dir`]; `AlreadyExists`.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn create_dir<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<()> {
        self.at(cx, "create directory", path.as_ref(), fs::Dir::create_dir).await
    }

    /// What is known of a file or directory, after symbolic links.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn metadata<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<Metadata> {
        self.at(cx, "look at", path.as_ref(), fs::Dir::metadata).await
    }

    /// What a directory contains, in no order; `.` is this one. All of it is kept in memory.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn read_dir<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<Vec<Entry>> {
        let list = |dir: &fs::Dir, path: PathBuf| {
            let entry = |entry: io::Result<fs::DirEntry>| {
                let entry = entry?;
                Ok(Entry { name: entry.file_name(), file_type: entry.file_type()? })
            };
            dir.read_dir(path)?.map(entry).collect()
        };
        self.at(cx, "list", path.as_ref(), list).await
    }

    /// Removes a file.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn remove_file<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<()> {
        self.at(cx, "remove", path.as_ref(), fs::Dir::remove_file).await
    }

    /// Removes a directory that is empty.
    ///
    /// # Errors
    /// As of [`Dir`].
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn remove_dir<C>(&self, cx: &Cx<C>, path: impl AsRef<Path>) -> io::Result<()> {
        self.at(cx, "remove", path.as_ref(), fs::Dir::remove_dir).await
    }

    /// Gives what is at `from` the name `to` in `target`, which may be this directory; what was there
    /// is replaced.
    ///
    /// # Errors
    /// As of [`Dir`]; the message has the path `from`. The system's if the two are on different file
    /// systems.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    pub async fn rename<C>(
        &self,
        cx: &Cx<C>,
        from: impl AsRef<Path>,
        target: &Dir,
        to: impl AsRef<Path>,
    ) -> io::Result<()> {
        target.fs.check(cx)?;
        let (target, to) = (target.dir.clone(), to.as_ref().to_owned());
        self.at(cx, "rename", from.as_ref(), move |dir, from| dir.rename(from, &target, to)).await
    }

    /// Runs whatever else cap-std can do with this directory, on a thread that may block.
    ///
    /// ```
    /// # use asupersync_compat::cap_std::Dir;
    /// # use asupersync_core::{Cx, NoCaps, Outcome};
    /// # async fn program(cx: &Cx<NoCaps>, dir: &Dir) -> Outcome<u64> {
    /// Ok(dir.run(cx, "keep a copy", |dir| dir.copy("state", dir, "state.old")).await?)
    /// # }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// The job's; `PermissionDenied` where files may not be used; a cancellation at Request.
    ///
    /// # Cancel safety
    /// As of [`Dir`].
    #[track_caller]
    pub fn run<'a, C, T: Send + 'static>(
        &'a self,
        cx: &'a Cx<C>,
        name: &'a str,
        job: impl FnOnce(&fs::Dir) -> io::Result<T> + Send + 'static,
    ) -> impl Future<Output = io::Result<T>> + Send {
        let dir = self.dir.clone();
        self.fs.run(cx, name, move || job(&dir))
    }

    async fn at<C, T: Send + 'static>(
        &self,
        cx: &Cx<C>,
        verb: &'static str,
        path: &Path,
        job: impl FnOnce(&fs::Dir, PathBuf) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (dir, path, full) = (self.dir.clone(), path.to_owned(), self.path.join(path));
        self.fs.run(cx, verb, move || job(&dir, path).map_err(named(verb, &full))).await
    }
}

/// Adds to an error of the system's what was tried, and where.
fn named(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("cannot {verb} `{}`: {error}", path.display()))
}

impl fmt::Debug for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dir").field(&self.path).finish()
    }
}
