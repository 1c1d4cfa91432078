//! A run as people read it: who took which step, and what came of it.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use super::access::TaskId;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When, since the run began.
    pub at: Duration,
    /// Whose step it was.
    pub task: TaskId,
    /// The task's name.
    pub name: String,
    /// What it did, or waits for since.
    pub what: String,
}

/// The steps of one run in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The steps.
    pub moments: Vec<Moment>,
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.short(usize::MAX).fmt(f)
    }
}

/// The steps of a run without those in the middle, if there are too many.
struct Short<'a> {
    timeline: &'a Timeline,
    most: usize,
}

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moments = &self.timeline.moments;
        let names = moments.iter().map(|moment| moment.name.chars().count() + digits(moment.task));
        let width = names.max().unwrap_or(0) + 1;
        let left_out = moments.len().saturating_sub(self.most);
        let begin = if left_out > 0 { self.most / 4 } else { moments.len() };
        for (step, moment) in moments.iter().enumerate() {
            if step == begin {
                writeln!(f, "  ...  {left_out} steps more, which are in the picture")?;
            }
            if (begin..begin + left_out).contains(&step) {
                continue;
            }
            let Moment { at, task, name, what } = moment;
            let who = format!("{name}#{task}");
            writeln!(f, "{step:>5}  {:>12}  {who:<width$}  {what}", format!("{at:?}"))?;
        }
        Ok(())
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

impl Timeline {
    /// The first and the last steps, `most` of them.
    pub(crate) fn short(&self, most: usize) -> impl fmt::Display {
        Short { timeline: self, most }
    }

    /// The tasks that took a step, by their first.
    fn tasks(&self) -> Vec<(TaskId, &str)> {
        let mut tasks: Vec<(TaskId, &str)> = Vec::new();
        for moment in &self.moments {
            if !tasks.iter().any(|(task, _)| *task == moment.task) {
                tasks.push((moment.task, &moment.name));
            }
        }
        tasks
    }

    /// For Perfetto and `chrome://tracing`: the Trace Event Format, a track for each task. A step lasts
    /// one unit, since a poll takes no virtual time; the virtual time is an argument of the step.
    pub fn to_chrome(&self) -> String {
        let mut events = Vec::new();
        for (task, name) in self.tasks() {
            let name = json(&format!("{name}#{task}"));
            events.push(format!(
                r#"{{"ph":"M","name":"thread_name","pid":1,"tid":{task},"args":{{"name":{name}}}}}"#
            ));
        }
        for (step, moment) in self.moments.iter().enumerate() {
            let (what, at) = (json(&moment.what), json(&format!("{:?}", moment.at)));
            events.push(format!(
                r#"{{"ph":"X","name":{what},"pid":1,"tid":{},"ts":{step},"dur":1,"args":{{"step":{step},"time":{at}}}}}"#,
                moment.task
            ));
        }
        format!("{{\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
    }

    /// A page that needs nothing else: `title` above, a column for each task, a row for each step.
    pub fn to_html(&self, title: &str) -> String {
        let tasks = self.tasks();
        let mut page = String::from(PAGE_BEGIN);
        let title = html(title);
        let _ = write!(
            page,
            "<title>lab</title>\n<pre class=\"why\">{title}</pre>\n<table>\n<thead><tr><th>step</th><th>time</th>"
        );
        for (task, name) in &tasks {
            let _ = write!(page, "<th>{}<small>#{task}</small></th>", html(name));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        let last = self.moments.len();
        for (step, moment) in self.moments.iter().enumerate() {
            let end = if step + 1 == last { " class=\"last\"" } else { "" };
            let _ = write!(page, "<tr{end}><td>{step}</td><td>{:?}</td>", moment.at);
            for (place, (task, _)) in tasks.iter().enumerate() {
                if *task == moment.task {
                    // Far apart, and none is the red of what failed.
                    let hue = 30 + place * 137 % 300;
                    let _ =
                        write!(page, "<td class=\"on\" style=\"--hue:{hue}\">{}</td>", html(&moment.what));
                } else {
                    page.push_str("<td></td>");
                }
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n");
        page
    }
}

const PAGE_BEGIN: &str = "<!doctype html>
<meta charset=\"utf-8\">
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }
body { margin: 1.5rem }
.why { border-left: 4px solid #c33; padding: .5rem 1rem; overflow: auto }
table { border-collapse: collapse }
th { position: sticky; top: 0; background: Canvas; text-align: left; padding: .3rem .6rem; border-bottom: 2px solid }
th small { opacity: .6 }
td { padding: .15rem .6rem; white-space: nowrap; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, CanvasText 12%, Canvas) }
td:nth-child(-n+2) { text-align: right; font-variant-numeric: tabular-nums; opacity: .7 }
td.on { background: hsl(var(--hue) 70% 50% / .18); border-left: 3px solid hsl(var(--hue) 70% 45%) }
tr.last td.on { background: #c333; border-left-color: #c33; font-weight: 600 }
</style>
";

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text as JSON.
fn json(text: &str) -> String {
    let mut json = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            char if char.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(char));
            }
            char => json.push(char),
        }
    }
    json.push('"');
    json
}
