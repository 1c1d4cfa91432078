//! The public functions of the crates that users have, with what is written above each.

use crate::files::{self, File};

/// The folders of those crates, with the names under which functions are known here.
const CRATES: &[(&str, &str)] = &[
    ("core/src/", "core"),
    ("core/task/src/", "task"),
    ("scheduler/src/", "scheduler"),
    ("scheduler/queue/src/", "queue"),
    ("scheduler/lab/src/", "lab"),
    ("protocols/src/", "protocols"),
    ("compat/src/", "compat"),
    ("src/", "asupersync"),
];

/// One function.
pub(crate) struct Function {
    /// `core::io::tcp::TcpStream::read`: its crate, file, type and name.
    pub(crate) key: String,
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) docs: String,
    /// Up to its body.
    pub(crate) signature: String,
}

impl Function {
    pub(crate) fn name(&self) -> &str {
        self.key.rsplit("::").next().unwrap_or_default()
    }
}

/// Every public function of the house's crates.
pub(crate) fn public() -> Vec<Function> {
    files::rust().flat_map(of).collect()
}

/// Those of one file, if that is of such a crate.
pub(crate) fn of(file: &File) -> Vec<Function> {
    let place = CRATES.iter().find_map(|(folder, name)| Some((file.path.strip_prefix(folder)?, name)));
    let Some((inside, krate)) = place.filter(|_| file.tests_from() > 0) else { return Vec::new() };
    let module = inside.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let (code, text) = (file.code.lines().collect::<Vec<_>>(), file.text.lines().collect::<Vec<_>>());
    let (mut around, mut in_trait, mut found) = (String::new(), false, Vec::new());
    for at in 0..code.len().min(file.tests_from()) {
        let line = code[at];
        if line == "}" {
            (around, in_trait) = (String::new(), false);
        } else if line.starts_with("impl") {
            around = of_impl(&signature(&code[at..]));
        } else if let Some(rest) = line.strip_prefix("pub trait ") {
            (around, in_trait) = (word(rest), true);
        }
        let Some(name) = name(line.trim_start(), in_trait) else { continue };
        let parts = [*krate, &module, &around, &name];
        found.push(Function {
            key: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::"),
            path: file.path.clone(),
            line: at + 1,
            docs: docs(&text[..at]),
            signature: signature(&code[at..]),
        });
    }
    found
}

/// The public types of one file that are futures, as functions of their names.
pub(crate) fn futures(file: &File) -> Vec<Function> {
    let place = CRATES.iter().find_map(|(folder, name)| Some((file.path.strip_prefix(folder)?, name)));
    let Some((_, krate)) = place.filter(|_| file.tests_from() > 0) else { return Vec::new() };
    let (code, text) = (file.code.lines().collect::<Vec<_>>(), file.text.lines().collect::<Vec<_>>());
    let futures = (0..code.len()).filter(|&at| code[at].starts_with("impl"));
    let futures = futures.map(|at| signature(&code[at..])).filter(|header| header.contains("Future for "));
    let declared = futures.filter_map(|header| {
        let name = of_impl(&header);
        let line = code.iter().position(|line| {
            let line = line.trim_start();
            line.strip_prefix("pub struct ").is_some_and(|rest| word(rest) == name)
        })?;
        let (key, docs) = (format!("{krate}::{name}"), docs(&text[..line]));
        Some(Function { key, path: file.path.clone(), line: line + 1, docs, signature: header })
    });
    declared.collect()
}

/// The name of the public function that a line declares.
fn name(line: &str, in_trait: bool) -> Option<String> {
    let rest = line.strip_prefix("pub ").or_else(|| in_trait.then_some(line))?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    Some(word(rest.strip_prefix("fn ")?))
}

/// What begins here, up to its `{` or `;`.
fn signature(lines: &[&str]) -> String {
    let whole = lines.join("\n");
    let end = whole.find(['{', ';']).unwrap_or(whole.len());
    whole[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The type that an `impl` is of.
fn of_impl(header: &str) -> String {
    let mut rest = header.trim_start_matches("impl").trim_start();
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find(|&(at, c)| {
            let arrow = c == '>' && rest[..at].ends_with('-');
            depth += i32::from(c == '<') - i32::from(c == '>' && !arrow);
            depth == 0
        });
        rest = end.map_or("", |(at, _)| rest[at + 1..].trim_start());
    }
    let rest = rest.split_once(" for ").map_or(rest, |(_, of)| of);
    word(rest.trim_start_matches("dyn "))
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The documentation that ends with these lines, before attributes.
fn docs(above: &[&str]) -> String {
    let lines = above.iter().rev().map(|line| line.trim_start());
    let lines = lines.take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut docs: Vec<&str> = lines.filter(|line| line.starts_with("///")).collect();
    docs.reverse();
    docs.join("\n")
}

#[test]
fn functions_are_found() {
    let text = "impl<T: Fn() -> u8> A<T> {\n    /// B.\n    #[c]\n    pub async fn b<D>(\n        self,\n    ) -> E\n    \
                where\n        D: F,\n    {\n    }\n    fn g() {}\n}\n/// H.\npub fn h() -> impl I;\n\
                pub trait J {\n    fn k();\n}\nimpl L for M<'_> {\n    fn n() {}\n    pub(crate) fn o() {}\n}\n";
    let found = of(&File::new("core/src/x/mod.rs", text));
    let told: Vec<_> = found.iter().map(|f| (&*f.key, f.line, &*f.docs, &*f.signature)).collect();
    let wanted = [
        ("core::x::A::b", 4, "/// B.", "pub async fn b<D>( self, ) -> E where D: F,"),
        ("core::x::h", 14, "/// H.", "pub fn h() -> impl I"),
        ("core::x::J::k", 16, "", "fn k()"),
    ];
    assert_eq!(told, wanted);
    assert!(of(&File::new("core/tests/x.rs", text)).is_empty());
}
