//! From the text of `migrate-lint.toml` to a [`Config`].
//!
//! Everything wrong is collected, each with its place; one mistake does not
//! hide the next.

use super::hint::hint;
use super::{Config, Patterns, Scope, Setting};
use crate::load::source::{canonical, read_text};
use crate::load::{Problem, Severity};
use crate::rules;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const KEYS: [&str; 4] = ["baseline", "exclude", "levels", "scope"];
const SCOPE_KEYS: [&str; 4] = ["level", "paths", "reason", "rules"];

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads the file; `config` has the defaults.
pub(super) fn read(file: &Path, config: Config) -> Result<Config, Vec<Problem>> {
    let text = read_text(file).map_err(|e| vec![Problem::error(file, e.explain())])?;
    let mut reader = Reader { file, text: &text, problems: Vec::new() };
    let config = match DeTable::parse(&text) {
        Ok(table) => reader.config(table.get_ref(), config),
        Err(e) => {
            let message = format!("not TOML: {}", e.message());
            reader.wrong(e.span().unwrap_or(0..0), message);
            config
        }
    };
    if reader.problems.is_empty() { Ok(config) } else { Err(reader.problems) }
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, at: usize) -> (u32, u32) {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
        (before.matches('\n').count() as u32 + 1, line.chars().count() as u32 + 1)
    }

    fn wrong(&mut self, at: Range<usize>, message: String) {
        let place = Some(self.place(at.start));
        self.problems.push(Problem {
            file: self.file.to_path_buf(),
            place,
            severity: Severity::Error,
            message,
        });
    }

    fn config(&mut self, table: &DeTable<'_>, mut config: Config) -> Config {
        for (key, value) in table {
            match &**key.get_ref() {
                "baseline" => {
                    if let Some(path) = self.string(value, "a path") {
                        let dir = canonical(self.file).with_file_name(path);
                        config.baseline = crate::load::source::without_detours(&dir);
                    }
                }
                "exclude" => config.exclude = self.patterns(value),
                "levels" => {
                    let Some(levels) = self.table(value) else { continue };
                    for (rule, value) in levels {
                        let name = rule.get_ref().to_string();
                        self.known_rule(&name, rule.span());
                        if let Some(setting) = self.setting(value) {
                            config.levels.insert(name, setting);
                        }
                    }
                }
                "scope" => {
                    let DeValue::Array(scopes) = value.get_ref() else {
                        self.wrong(key.span(), "scopes are written `[[scope]]`, in double brackets".into());
                        continue;
                    };
                    for value in scopes.iter() {
                        let scope = self.table(value).and_then(|table| self.scope(table, value.span()));
                        config.scopes.extend(scope);
                    }
                }
                other => {
                    let hint = hint(other, "keys", &KEYS);
                    self.wrong(key.span(), format!("there is no key `{other}`{hint}"));
                }
            }
        }
        config
    }

    fn scope(&mut self, table: &DeTable<'_>, at: Range<usize>) -> Option<Scope> {
        let mut scope = Scope {
            paths: Patterns::default(),
            rules: Vec::new(),
            setting: Setting::Allow,
            reason: String::new(),
            line: self.place(at.start).0,
        };
        let (mut has_paths, mut has_reason) = (false, false);
        for (key, value) in table {
            match &**key.get_ref() {
                "paths" => {
                    has_paths = true;
                    scope.paths = self.patterns(value);
                }
                "rules" => {
                    for (rule, span) in self.strings(value) {
                        self.known_rule(&rule, span);
                        scope.rules.push(rule);
                    }
                }
                "level" => scope.setting = self.setting(value).unwrap_or(Setting::Allow),
                "reason" => {
                    let reason = self.string(value, "a sentence").unwrap_or_default();
                    has_reason = reason.contains(char::is_alphanumeric);
                    scope.reason = reason;
                }
                other => {
                    let hint = hint(other, "keys", &SCOPE_KEYS);
                    self.wrong(key.span(), format!("a scope has no key `{other}`{hint}"));
                }
            }
        }
        if !has_paths {
            self.wrong(at.clone(), "this scope has no `paths`; for the whole tree, use [levels]".into());
        }
        if !has_reason {
            let message =
                "this scope has no `reason`; without one nobody can tell later whether it still holds";
            self.wrong(at, message.into());
        }
        (has_paths && has_reason).then_some(scope)
    }

    fn known_rule(&mut self, name: &str, at: Range<usize>) {
        if rules::find(name).is_none() {
            self.wrong(at, rules::unknown(name));
        }
    }

    fn setting(&mut self, value: &Value<'_>) -> Option<Setting> {
        let name = self.string(value, "a level")?;
        let setting = Setting::named(&name);
        if setting.is_none() {
            let hint = hint(&name, "levels", &Setting::NAMES);
            self.wrong(value.span(), format!("there is no level `{name}`{hint}"));
        }
        setting
    }

    fn patterns(&mut self, value: &Value<'_>) -> Patterns {
        let mut patterns = Patterns::default();
        for (text, span) in self.strings(value) {
            if let Err(why) = patterns.add(&text) {
                self.wrong(span, format!("`{text}` is no pattern: {why}"));
            }
        }
        patterns
    }

    fn table<'v, 'i>(&mut self, value: &'v Value<'i>) -> Option<&'v DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong(value.span(), format!("a table is expected here, not {}", kind(value)));
        }
        found
    }

    fn string(&mut self, value: &Value<'_>, what: &str) -> Option<String> {
        let found = value.get_ref().as_str();
        if found.is_none() {
            self.wrong(value.span(), format!("{what} is expected here, as a string, not {}", kind(value)));
        }
        found.map(str::to_string)
    }

    fn strings(&mut self, value: &Value<'_>) -> Vec<(String, Range<usize>)> {
        match value.get_ref() {
            DeValue::Array(list) => {
                list.iter().filter_map(|v| Some((self.string(v, "a word")?, v.span()))).collect()
            }
            _ => {
                let message = format!("a list is expected here, such as [\"src\"], not {}", kind(value));
                self.wrong(value.span(), message);
                Vec::new()
            }
        }
    }
}

fn kind(value: &Value<'_>) -> String {
    format!("a TOML {}", value.get_ref().type_str())
}
