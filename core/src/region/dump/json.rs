//! A dump for programs: one line of JSON that leaves nothing out.
//!
//! Written by hand, since core has no other use for a serialiser. What an object has is the table at
//! [`Dump::to_json`](super::Dump::to_json).

use std::fmt::Write;
use std::panic::Location;
use std::time::Duration;

use super::data::{Dump, FinalizerDump, Member, RegionDump, TaskDump};
use crate::budget::{Budget, Priority};
use crate::cancel::{Awaits, Level, Reason, Wait};
use crate::host::Lane;
use crate::region::state::Phase;
use crate::time::Time;

impl Dump {
    /// Everything, as one line of JSON. Times are in nanoseconds, numbers of tasks and regions are
    /// those of [`TaskId::get`](crate::id::TaskId::get) and [`RegionId::get`](crate::id::RegionId::get),
    /// and what is not known, or not there, is `null`.
    ///
    /// | object | fields |
    /// |---|---|
    /// | the whole | `version` (1; other fields may be added to any object without changing that), `at_ns`, `regions` (parents first), `cycles` |
    /// | a region | `id`, `parent`, `name`, `path`, `site`, `age_ns`, `phase` (`open`, `requested`, `draining`, `finalizing`, `closed`), `body` (it still runs), `opened_by` (a task), `reason`, `budget`, `close_left_ns`, `failed`, `finalizers`, `finalizer`, `obligations`, `tasks` |
    /// | a task | `id`, `name`, `site`, `age_ns`, `state` (`running`, `queued`, `waiting`), `lane` (`cancel`, `timed`, `ready`), `level` (`clear`, `requested`, `spent`), `reason`, `budget`, `awaits`, `last_awaited`, `local` (a child of a local scope), `joined_by` (a task) |
    /// | a wait | `for`, and, as far as that has them, `left_ns` (of `timer`), `task` (of `join`), `region` (of `closing`), `object` (equal for those who wait at the same), `deadline_left_ns` |
    /// | what a wait is `for` | `timer`, `turn`, `request`, `shutdown`, `join`, `closing`, `job`, `children`, `foreign`, `unknown`, or a [use](crate::cancel::Use::name) of an object |
    /// | a reason | `kind`, `message`, `region`, `at_ns`, `site`, `cause` (a reason) |
    /// | a budget, if there is a limit | `left_ns`, `polls`, `cost`, `priority` |
    /// | a finalizer | `site`, `age_ns`, `running`, `budget`, `awaits`, `last_awaited` |
    /// | an obligation | `kind`, `site`, `age_ns` |
    /// | a cycle | an array of objects with `task` or `region` |
    pub fn to_json(&self) -> String {
        let tasks: usize = self.regions.iter().map(|region| region.tasks.len()).sum();
        let mut json =
            Json { out: String::with_capacity(288 * (tasks + self.regions.len())), at: self.at, site: None };
        json.object(|json| {
            json.number("version", 1);
            json.number("at_ns", self.at.as_nanos());
            json.array("regions", &self.regions, |json, region| json.object(|json| json.region(region)));
            json.array("cycles", &self.cycles, |json, cycle| {
                json.list(&cycle.members, |json, member| {
                    json.object(|json| match member {
                        Member::Task(id) => json.number("task", id.get()),
                        Member::Region(id) => json.number("region", id.get()),
                    });
                });
            });
        });
        json.out
    }
}

/// What is written so far. Whatever follows another value is told from it by the last character.
struct Json {
    out: String,
    at: Time,
    /// The last line of code, as it is written.
    site: Option<(&'static Location<'static>, String)>,
}

impl Json {
    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
    }

    fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push('{');
        fields(self);
        self.out.push('}');
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.separate();
        self.out.push('[');
        for next in items {
            item(self, next);
        }
        self.out.push(']');
    }

    /// The name of the field that follows: one of ours, which needs no escapes.
    fn name(&mut self, name: &str) {
        self.separate();
        self.out.reserve(name.len() + 3);
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn array<T>(&mut self, name: &str, items: &[T], item: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.list(items, item);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.digits(number);
    }

    fn digits(&mut self, mut number: u64) {
        let (mut digits, mut at) = ([0; 20], 20);
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.out.push_str(str::from_utf8(&digits[at..]).unwrap_or("0"));
    }

    fn duration(&mut self, name: &str, duration: Duration) {
        self.number(name, u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.name(name);
        self.out.push_str(if flag { "true" } else { "false" });
    }

    fn null(&mut self, name: &str) {
        self.name(name);
        self.out.push_str("null");
    }

    fn optional<T>(&mut self, name: &str, value: Option<T>, write: impl FnOnce(&mut Self, &str, T)) {
        match value {
            Some(value) => write(self, name, value),
            None => self.null(name),
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.out.push('"');
        self.escaped(text);
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        // Nearly no text has any, and without an early end the compiler looks at many bytes at once.
        if !text.bytes().fold(false, |any, byte| any | is_special(byte)) {
            return self.out.push_str(text);
        }
        let mut rest = text;
        while let Some(at) = rest.bytes().position(is_special) {
            self.out.push_str(&rest[..at]);
            let special = rest.as_bytes()[at];
            match special {
                b'"' | b'\\' => self.out.extend(['\\', char::from(special)]),
                // Writing to a string does not fail.
                _ => drop(write!(self.out, "\\u{special:04x}")),
            }
            rest = &rest[at + 1..];
        }
        self.out.push_str(rest);
    }

    /// Most tasks have the line of the one before.
    fn site(&mut self, site: &'static Location<'static>) {
        self.name("site");
        if !self.site.as_ref().is_some_and(|(last, _)| std::ptr::eq(*last, site)) {
            let begin = self.out.len();
            self.out.push('"');
            self.escaped(site.file());
            self.out.push(':');
            self.digits(site.line().into());
            self.out.push(':');
            self.digits(site.column().into());
            self.out.push('"');
            self.site = Some((site, self.out.split_off(begin)));
        }
        if let Some((_, text)) = &self.site {
            self.out.push_str(text);
        }
    }

    fn region(&mut self, region: &RegionDump) {
        self.number("id", region.id.get());
        self.optional("parent", region.parent, |json, name, id| json.number(name, id.get()));
        self.text("name", &region.name);
        self.text("path", &region.path);
        self.site(region.site);
        self.duration("age_ns", region.age);
        self.text("phase", phase(region.phase));
        self.flag("body", region.body);
        self.optional("opened_by", region.opened_by, |json, name, id| json.number(name, id.get()));
        self.reason(region.reason.as_ref());
        self.budget(region.budget);
        let left = region.close_by.map(|close_by| close_by - self.at);
        self.optional("close_left_ns", left, Json::duration);
        self.number("failed", region.failed as u64);
        self.number("finalizers", region.finalizers as u64);
        self.optional("finalizer", region.finalizer.as_ref(), |json, name, finalizer| {
            json.name(name);
            json.object(|json| json.finalizer(finalizer));
        });
        self.array("obligations", &region.obligations, |json, obligation| {
            json.object(|json| {
                json.text("kind", &obligation.kind.to_string());
                json.site(obligation.site);
                json.duration("age_ns", obligation.age);
            });
        });
        self.array("tasks", &region.tasks, |json, task| json.object(|json| json.task(task)));
    }

    fn finalizer(&mut self, finalizer: &FinalizerDump) {
        self.site(finalizer.site);
        self.duration("age_ns", finalizer.age);
        self.flag("running", finalizer.running);
        self.budget(finalizer.budget);
        self.waits(&finalizer.awaits.now, finalizer.awaits.last);
    }

    fn task(&mut self, task: &TaskDump) {
        self.number("id", task.id.get());
        self.text("name", &task.name);
        self.site(task.site);
        self.duration("age_ns", task.age);
        self.text("state", task.state.name());
        let lane = match task.lane {
            Lane::Cancel => "cancel",
            Lane::Timed(_) => "timed",
            Lane::Ready => "ready",
        };
        self.text("lane", lane);
        let level = match task.level {
            Level::Clear => "clear",
            Level::Requested => "requested",
            Level::Spent => "spent",
        };
        self.text("level", level);
        self.reason(task.reason.as_ref());
        self.budget(task.budget);
        self.waits(&task.awaits.now, task.awaits.last);
        self.flag("local", task.local);
        self.optional("joined_by", task.joined_by, |json, name, id| json.number(name, id.get()));
    }

    fn waits(&mut self, now: &[Wait], last: Option<Awaits>) {
        self.array("awaits", now, |json, wait| {
            json.object(|json| {
                json.awaits(wait.awaits);
                if let Some(deadline) = wait.deadline {
                    let left = deadline - json.at;
                    json.duration("deadline_left_ns", left);
                }
            });
        });
        self.optional("last_awaited", last, |json, name, awaits| {
            json.name(name);
            json.object(|json| json.awaits(awaits));
        });
    }

    fn awaits(&mut self, awaits: Awaits) {
        self.text("for", awaits.name());
        match awaits {
            Awaits::Until(time) if time < Time::MAX => self.duration("left_ns", time - self.at),
            Awaits::Until(_) => self.null("left_ns"),
            Awaits::Join(id) => self.number("task", id.get()),
            Awaits::Closing(id) => self.number("region", id.get()),
            Awaits::Object(_, object) if object.0 > 0 => self.number("object", object.0),
            _ => {}
        }
    }

    fn reason(&mut self, reason: Option<&Reason>) {
        let mut open = 0;
        let mut next = reason;
        while let Some(reason) = next {
            self.name(if open == 0 { "reason" } else { "cause" });
            self.out.push('{');
            self.text("kind", &format!("{:?}", reason.kind()));
            self.optional("message", reason.message(), Json::text);
            self.optional("region", reason.region(), Json::text);
            self.optional("at_ns", reason.at(), |json, name, at| json.number(name, at.as_nanos()));
            self.site(reason.site());
            next = reason.cause();
            open += 1;
        }
        self.null(if open == 0 { "reason" } else { "cause" });
        self.out.extend(std::iter::repeat_n('}', open));
    }

    fn budget(&mut self, budget: Budget) {
        if budget == Budget::UNLIMITED {
            return self.null("budget");
        }
        self.name("budget");
        self.object(|json| {
            let left = budget.until().map(|until| until - json.at);
            json.optional("left_ns", left, Json::duration);
            json.optional("polls", budget.polls(), Json::number);
            json.optional("cost", budget.cost(), Json::number);
            let priority = (budget.priority() < Priority::HIGHEST).then(|| budget.priority().level().into());
            json.optional("priority", priority, Json::number);
        });
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::Requested => "requested",
        Phase::Draining => "draining",
        Phase::Finalizing => "finalizing",
        Phase::Closed => "closed",
    }
}
