//! What was typed, taken apart: a command, its flags, its operands. What the
//! words mean is not looked at yet.

use super::flags::{self, Command, FLAGS};
use crate::config::hint::nearest;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;

/// A command line that has the right form.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) command: Command,
    flags: Vec<(&'static str, Option<OsString>)>,
    pub(super) operand: Option<OsString>,
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Help(Option<Command>),
    Version,
    Run(Raw),
}

impl Raw {
    /// Whether a flag was given.
    pub(super) fn has(&self, long: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == long)
    }

    /// The value of a flag; the last one counts.
    pub(super) fn value(&self, long: &str) -> Option<&OsString> {
        self.flags.iter().rev().find(|(name, _)| *name == long).and_then(|(_, value)| value.as_ref())
    }
}

/// Takes the words after the program's name apart.
pub(super) fn parse(mut args: Vec<OsString>) -> Result<Asked, String> {
    // cargo passes a subcommand its own name
    if args.first().is_some_and(|first| first == "migrate-lint") {
        args.remove(0);
    }
    let mut parser = Parser::from_args(args);
    let mut command = None;
    let mut flags = Vec::new();
    let mut words: Vec<OsString> = Vec::new();
    let (mut wants_help, mut wants_version) = (false, false);
    while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
        let long = match &arg {
            Arg::Short('h') | Arg::Long("help") => {
                wants_help = true;
                continue;
            }
            Arg::Short('V') | Arg::Long("version") => {
                wants_version = true;
                continue;
            }
            Arg::Value(word) => {
                let found = Command::ALL.into_iter().find(|c| word == c.name());
                match found {
                    Some(found) if command.is_none() && words.is_empty() => command = Some(found),
                    None if word == "help" && command.is_none() && words.is_empty() => wants_help = true,
                    _ => words.push(word.clone()),
                }
                continue;
            }
            Arg::Long(name) => FLAGS.iter().find(|flag| flag.long == *name),
            Arg::Short(c) => FLAGS.iter().find(|flag| flag.short == Some(*c)),
        };
        let Some(flag) = long else {
            return Err(match arg {
                Arg::Long(name) => match nearest(name, FLAGS.iter().map(|flag| flag.long)) {
                    Some(meant) => format!("there is no option `--{name}`; did you mean `--{meant}`?"),
                    None => format!("there is no option `--{name}`"),
                },
                other => other.unexpected().to_string(),
            });
        };
        let value = match flag.value {
            Some(_) => Some(parser.value().map_err(|e| e.to_string())?),
            None => None,
        };
        flags.push((flag.long, value));
    }
    if wants_help {
        return Ok(Asked::Help(command));
    }
    if wants_version {
        return Ok(Asked::Version);
    }
    let command = command.unwrap_or(Command::Check);
    if let Some((long, _)) = flags.iter().find(|(long, _)| flags::find(long, command).is_none()) {
        let of: Vec<&str> =
            FLAGS.iter().filter(|f| f.long == *long).flat_map(|f| f.of).map(|c| c.name()).collect();
        return Err(format!("`{}` has no option `--{long}`; it goes with {}", command.name(), of.join(", ")));
    }
    if words.iter().any(|word| word.is_empty()) {
        return Err(
            "there is an empty word, which names nothing; leave it out, or quote what it came from".into()
        );
    }
    let mut words = words.into_iter();
    let operand = words.next();
    let unwanted = if command == Command::List { operand.as_ref().cloned() } else { words.next() };
    match unwanted {
        Some(word) => {
            let word = word.string().unwrap_or_else(|e| e.to_string());
            Err(match command {
                Command::List => format!("list takes no PATH; `{word}` is left over"),
                Command::Explain => format!("explain takes one RULE; `{word}` is left over"),
                _ => format!("one PATH at a time; `{word}` is left over"),
            })
        }
        None => Ok(Asked::Run(Raw { command, flags, operand })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<Asked, String> {
        parse(args.iter().map(OsString::from).collect())
    }

    fn run(args: &[&str]) -> Raw {
        match of(args) {
            Ok(Asked::Run(raw)) => raw,
            other => panic!("{args:?}: {other:?}"),
        }
    }

    #[test]
    fn all_ways_to_check() {
        for (args, path) in [
            (&[][..], None),
            (&["check"], None),
            (&["migrate-lint"], None),
            (&["migrate-lint", "check", "x"], Some("x")),
            (&["x", "--format=json"], Some("x")),
            (&["--format", "json", "check", "x"], Some("x")),
            (&["check", "check"], Some("check")),
            (&["check", "help"], Some("help")),
            (&["--", "-x"], Some("-x")),
        ] {
            let raw = run(args);
            assert_eq!(raw.command, Command::Check, "{args:?}");
            assert_eq!(raw.operand.as_deref(), path.map(std::ffi::OsStr::new), "{args:?}");
            assert_eq!(raw.value("format").is_some(), args.iter().any(|a| a.contains("format")));
        }
        assert_eq!(run(&["--format", "json", "--format", "sarif"]).value("format").expect("given"), "sarif");
        assert!(run(&["-q"]).has("quiet"));
    }

    #[test]
    fn help_is_asked_for_in_any_place() {
        for args in [&["-h"][..], &["help"], &["x", "--help"], &["migrate-lint", "--help"]] {
            assert!(matches!(of(args), Ok(Asked::Help(None))), "{args:?}");
        }
        for args in [&["fix", "-h"][..], &["help", "fix"], &["--help", "fix"]] {
            assert!(matches!(of(args), Ok(Asked::Help(Some(Command::Fix)))), "{args:?}");
        }
        assert!(matches!(of(&["list", "-V"]), Ok(Asked::Version)));
    }

    #[test]
    fn mistakes_are_named() {
        for (args, words) in [
            (&["a", "b"][..], &["`b`"][..]),
            (&["--formt"], &["`--formt`", "did you mean `--format`?"]),
            (&["--wild"], &["`--wild`"]),
            (&[""], &["empty word"]),
            (&["-x"], &["-x"]),
            (&["--format"], &["--format"]),
            (&["--strict=yes"], &["--strict"]),
            (&["--prune"], &["`check` has no option `--prune`; it goes with baseline"]),
            (&["list", "--strict"], &["`list` has no option `--strict`; it goes with check"]),
            (&["list", "x"], &["`x`"]),
            (&["explain", "x", "y"], &["`y`"]),
        ] {
            let message = of(args).expect_err("a mistake");
            assert!(words.iter().all(|word| message.contains(word)), "{args:?}: {message}");
        }
    }
}
