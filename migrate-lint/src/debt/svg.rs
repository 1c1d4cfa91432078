//! Debt as a picture: a bar of tasks for each package, divided by what becomes
//! of them. It needs no script and no font of its own, and is
//! read on light and dark pages.

use super::{Debt, heading};
use crate::fate::Fate;
use crate::render::count;
use std::io::{self, Write};

const WIDTH: usize = 760;
const LABEL: usize = 180;
const NUMBER: usize = 50;
const ROW: usize = 26;
const TOP: usize = 40;
/// Longer names are cut.
const NAME: usize = 22;

/// Writes the picture.
pub fn render(debt: &Debt, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<_> = debt.packages.iter().filter(|(_, package)| package.started() > 0).collect();
    rows.sort_by_key(|(_, package)| std::cmp::Reverse(package.started()));
    let fates = debt.fates();
    let legend = TOP + rows.len() * ROW + 10;
    let height = legend + fates.len().div_ceil(4) * 20 + 10;
    let tasks = count(debt.started(), "task", "tasks");
    let title = format!("{tasks}, and what becomes of them");
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{title}" font-family="sans-serif" font-size="13" fill="gray">"#
    )?;
    writeln!(out, "<title>{title}</title>")?;
    writeln!(out, r#"<text x="10" y="24" font-size="16">{title}</text>"#)?;
    let most = rows.iter().map(|(_, package)| package.started()).max().unwrap_or(1);
    let length = |n: usize| n as f64 * (WIDTH - LABEL - NUMBER) as f64 / most as f64;
    for (i, (name, package)) in rows.iter().enumerate() {
        let y = TOP + i * ROW;
        writeln!(out, r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#, LABEL - 8, y + 15, short(name))?;
        let mut at = LABEL as f64;
        for fate in &fates {
            let n = package.tasks.get(fate).copied().unwrap_or(0);
            if n > 0 {
                let (x, width, fill) = (at, length(n), color(*fate));
                writeln!(
                    out,
                    r#"<rect x="{x:.1}" y="{y}" width="{width:.1}" height="20" fill="{fill}"><title>{}: {n} {}</title></rect>"#,
                    escape(name),
                    heading(*fate)
                )?;
                at += width;
            }
        }
        writeln!(out, r#"<text x="{:.1}" y="{}">{}</text>"#, at + 6.0, y + 15, package.started())?;
    }
    for (i, fate) in fates.iter().enumerate() {
        let (x, y) = (10 + i % 4 * 185, legend + i / 4 * 20);
        writeln!(out, r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{}"/>"#, color(*fate))?;
        writeln!(out, r#"<text x="{}" y="{}">{}</text>"#, x + 18, y + 11, heading(*fate))?;
    }
    writeln!(out, "</svg>")
}

/// Red for tasks that nobody stops, blue for those that somebody does, and
/// between them what depends.
fn color(fate: Option<Fate>) -> &'static str {
    match fate {
        Some(Fate::Dropped) => "#c0392b",
        Some(Fate::Forgotten) => "#7b241c",
        Some(Fate::Stored) => "#e67e22",
        Some(Fate::TaskTracker) => "#f0b27a",
        Some(Fate::Passed) => "#d4ac0d",
        Some(Fate::Returned) => "#b7950b",
        Some(Fate::Awaited) => "#a569bd",
        Some(Fate::Aborted) => "#5dade2",
        Some(Fate::JoinSet) => "#2e86c1",
        Some(Fate::LocalSet) => "#21618c",
        Some(Fate::Wrapped) => "#48c9b0",
        Some(Fate::StoredAborting) => "#138d75",
        None => "#909497",
    }
}

fn short(name: &str) -> String {
    let mut text: String = name.chars().take(NAME).collect();
    if text.len() < name.len() {
        text.push('…');
    }
    escape(&text)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
