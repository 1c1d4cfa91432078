//! The commands and flags there are, as data: what parsing accepts and what
//! the help shows cannot differ.

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    Check,
    Baseline,
    Fix,
    Report,
    Explain,
    List,
}

impl Command {
    pub(super) const ALL: [Command; 6] =
        [Command::Check, Command::Baseline, Command::Fix, Command::Report, Command::Explain, Command::List];

    pub(super) fn name(self) -> &'static str {
        match self {
            Command::Check => "check",
            Command::Baseline => "baseline",
            Command::Fix => "fix",
            Command::Report => "report",
            Command::Explain => "explain",
            Command::List => "list",
        }
    }

    /// What comes after the options.
    pub(super) fn operand(self) -> &'static str {
        match self {
            Command::Explain => "RULE",
            Command::List => "",
            _ => "[PATH]",
        }
    }

    pub(super) fn summary(self) -> &'static str {
        match self {
            Command::Check => "Lint (the default)",
            Command::Baseline => "Accept what is found now; only what is new fails from then on",
            Command::Fix => "Mend what can be mended without changing what the code does",
            Command::Report => "Count what is found, by package and rule, and what becomes of all tasks",
            Command::Explain => "Tell what a rule finds, why it matters, and what to write instead",
            Command::List => "List the rules",
        }
    }

    /// What the help says below the summary.
    pub(super) fn details(self) -> &'static str {
        match self {
            Command::Check => {
                "\
Nothing is built, but with --precise. Findings of level deny or warn fail the run;
info and unknowns do not. Suppress one with a comment: // migrate-lint: allow(RULE) reason"
            }
            Command::Baseline => {
                "\
Writes one empty file for each finding into migrate-lint-baseline, to be
committed. Lines, layout and neighbours may change; functions may move."
            }
            Command::Fix => {
                "\
Changes files in place, so it wants them committed first, as `cargo fix` does."
            }
            Command::Report => "Counts everything, accepted or suppressed or not.",
            Command::Explain | Command::List => "",
        }
    }
}

/// One flag.
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    /// The name of its value, if it takes one.
    pub(super) value: Option<&'static str>,
    pub(super) help: &'static str,
    /// The commands it goes with.
    pub(super) of: &'static [Command],
}

const LINTING: &[Command] = &[Command::Check, Command::Baseline, Command::Fix, Command::Report];

pub(super) const FORMATS: [&str; 6] = ["text", "short", "json", "jsonl", "sarif", "github"];
pub(super) const REPORT_FORMATS: [&str; 2] = ["markdown", "svg"];
pub(super) const COLORS: [&str; 3] = ["auto", "always", "never"];

/// Every flag but `--help` and `--version`, in the order of the help.
pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "format",
        short: None,
        value: Some("FORMAT"),
        help: "text (default), short, json, jsonl, sarif or github",
        of: &[Command::Check],
    },
    Flag {
        long: "format",
        short: None,
        value: Some("FORMAT"),
        help: "markdown (default) or svg",
        of: &[Command::Report],
    },
    Flag {
        long: "strict",
        short: None,
        value: None,
        help: "Fail on entries and scopes that nothing needs any more, too",
        of: &[Command::Check],
    },
    Flag {
        long: "prune",
        short: None,
        value: None,
        help: "Only remove entries that are not found any more",
        of: &[Command::Baseline],
    },
    Flag {
        long: "allow-dirty",
        short: None,
        value: None,
        help: "Change files even if there are changes that are not committed",
        of: &[Command::Fix],
    },
    Flag {
        long: "allow-staged",
        short: None,
        value: None,
        help: "Change files even if all other changes are only staged",
        of: &[Command::Fix],
    },
    Flag {
        long: "allow-no-vcs",
        short: None,
        value: None,
        help: "Change files even outside of a repository",
        of: &[Command::Fix],
    },
    Flag {
        long: "config",
        short: None,
        value: Some("FILE"),
        help: "The configuration (default: the nearest migrate-lint.toml)",
        of: LINTING,
    },
    Flag {
        long: "baseline",
        short: None,
        value: Some("DIR"),
        help: "The baseline (default: migrate-lint-baseline beside the configuration)",
        of: LINTING,
    },
    Flag {
        long: "no-baseline",
        short: None,
        value: None,
        help: "Report what the baseline accepts, too",
        of: &[Command::Check],
    },
    Flag {
        long: "precise",
        short: None,
        value: None,
        help: "Let clippy build the code, and settle what syntax does not tell",
        of: LINTING,
    },
    Flag {
        long: "features",
        short: Some('F'),
        value: Some("FEATURES"),
        help: "With --precise: the features that are built",
        of: LINTING,
    },
    Flag {
        long: "all-features",
        short: None,
        value: None,
        help: "With --precise: all of them are",
        of: LINTING,
    },
    Flag {
        long: "no-default-features",
        short: None,
        value: None,
        help: "With --precise: those by default are not",
        of: LINTING,
    },
    Flag {
        long: "color",
        short: None,
        value: Some("WHEN"),
        help: "auto (default), always or never",
        of: &[Command::Check],
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        value: None,
        help: "Show findings only: no unknowns, notes and summary",
        of: &[Command::Check, Command::Baseline, Command::Fix],
    },
];

/// The flag of this name that goes with the command.
pub(super) fn find(long: &str, command: Command) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == long && flag.of.contains(&command))
}
