//! How much there is to mend: everything found, by package and by rule, whether
//! it is new, accepted or suppressed; and every task, by what becomes of it.
//!
//! For a page that a team looks at once a week; `check` is for each change.

pub mod markdown;
pub mod svg;

use crate::check::Report;
use crate::fate::Fate;
use crate::rule::Finding;
use crate::rules::SUPPRESSION;
use crate::settle::By;
use std::collections::BTreeMap;

/// What somebody decided about findings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decided {
    /// Nobody decided anything.
    pub new: usize,
    /// They are in the baseline.
    pub accepted: usize,
    /// A comment or a scope suppresses them.
    pub suppressed: usize,
}

impl Decided {
    /// All of them.
    pub fn total(self) -> usize {
        self.new + self.accepted + self.suppressed
    }
}

/// The debt of one package.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Package {
    /// By decision.
    pub decided: Decided,
    /// What cannot be told.
    pub unknown: usize,
    /// Its tasks by what becomes of the handle; `None` where that is not known.
    pub tasks: BTreeMap<Option<Fate>, usize>,
}

impl Package {
    /// All its tasks.
    pub fn started(&self) -> usize {
        self.tasks.values().sum()
    }
}

/// The debt of everything that was linted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Debt {
    /// By name.
    pub packages: BTreeMap<String, Package>,
    /// By rule.
    pub rules: BTreeMap<&'static str, Decided>,
    /// All of it.
    pub total: Decided,
    /// Lines linted.
    pub lines: usize,
}

impl Debt {
    /// Counts a report. Comments without effect are no debt.
    pub fn of(report: &Report) -> Debt {
        let mut debt = Debt { lines: report.lines, ..Debt::default() };
        for finding in &report.findings {
            debt.add(finding, |decided| &mut decided.new);
        }
        for unknown in &report.unknowns {
            debt.package(unknown).unknown += 1;
        }
        for aside in &report.set_aside {
            match aside.by {
                _ if aside.is_unknown => debt.package(&aside.finding).unknown += 1,
                By::Baseline => debt.add(&aside.finding, |decided| &mut decided.accepted),
                By::Comment(_) | By::Scope(_) => debt.add(&aside.finding, |decided| &mut decided.suppressed),
            }
        }
        for task in &report.tasks {
            let package = debt.packages.entry(task.package.clone()).or_default();
            *package.tasks.entry(task.fate.as_ref().ok().copied()).or_default() += 1;
        }
        debt
    }

    /// All tasks.
    pub fn started(&self) -> usize {
        self.packages.values().map(Package::started).sum()
    }

    fn package(&mut self, finding: &Finding) -> &mut Package {
        let name = finding.targets.first().map_or("", |target| &target.package);
        self.packages.entry(name.to_string()).or_default()
    }

    fn add(&mut self, finding: &Finding, which: fn(&mut Decided) -> &mut usize) {
        if finding.rule == SUPPRESSION.name {
            return;
        }
        let package = self.package(finding);
        *which(&mut package.decided) += 1;
        *which(self.rules.entry(finding.rule).or_default()) += 1;
        *which(&mut self.total) += 1;
    }

    /// Packages, most findings first.
    fn ranked(&self) -> Vec<(&str, &Package)> {
        let mut ranked: Vec<_> =
            self.packages.iter().map(|(name, package)| (name.as_str(), package)).collect();
        ranked.sort_by_key(|(_, package)| {
            std::cmp::Reverse((package.decided.total(), package.unknown, package.started()))
        });
        ranked
    }

    /// The fates there are, in the order of reports; what is not known last.
    fn fates(&self) -> Vec<Option<Fate>> {
        let all = Fate::ALL.into_iter().map(Some).chain([None]);
        all.filter(|fate| self.packages.values().any(|package| package.tasks.contains_key(fate))).collect()
    }
}

/// The heading of a fate.
fn heading(fate: Option<Fate>) -> &'static str {
    fate.map_or("unknown", Fate::name)
}
