//! `report`: debt by package, fate and rule.

mod common;

use common::Dir;

fn workspace() -> Dir {
    let member = |name: &str, text: &str| {
        format!(
            "\n== {name}/Cargo.toml\n[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n[dependencies]\ntokio = \"1\"\n== {name}/src/lib.rs\n{text}\n"
        )
    };
    Dir::with(&format!(
        "\n== Cargo.toml\n[workspace]\nmembers = [\"small\", \"large\", \"clean\"]\n{}{}{}",
        member("small", "fn f() { tokio::spawn(a()); }"),
        member(
            "large",
            "use mystery::*;\nasync fn f() { tokio::spawn(a()); tokio::spawn(b()); spawn(c()); }\n\
             fn g() { tokio::spawn(d()); } // migrate-lint: allow(detached_spawn_finite) until the end\n\
             // migrate-lint: allow(detached_spawn_finite)"
        ),
        member("clean", "async fn f() { tokio::spawn(a()).await; }"),
    ))
}

#[test]
fn everything_is_counted() {
    let dir = workspace();
    dir.run(&["baseline", "small"]);
    let ran = dir.run(&["report"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    for line in [
        "# Tasks without an owner",
        "4 findings in 6 lines of code: 2 new, 1 accepted, 1 suppressed.",
        "| large | 3 | 2 | 0 | 1 | 1 |",
        "| small | 1 | 0 | 1 | 0 | 0 |",
        "| `detached_spawn_finite` | 4 | 2 | 1 | 1 |",
        "| package | tasks | dropped | awaited | unknown |",
        "| large | 4 | 3 | 0 | 1 |",
        "| small | 1 | 1 | 0 | 0 |",
        "| clean | 1 | 0 | 1 | 0 |",
    ] {
        assert!(ran.out.lines().any(|l| l == line), "{line}: {}", ran.out);
    }
    assert_eq!(dir.run(&["report"]).out, ran.out);
    let clean = dir.run(&["report", "clean"]).out;
    assert!(clean.contains("\n0 findings in 1 line of code: 0 new, 0 accepted, 0 suppressed.\n"), "{clean}");
}

#[test]
fn a_picture() {
    let dir = workspace();
    let ran = dir.run(&["report", "--format", "svg"]);
    assert_eq!(ran.status, 0);
    // balanced, and a bar for each package with findings
    let tags = |text: &str| ran.out.matches(text).count();
    assert!(ran.out.starts_with("<svg xmlns=") && ran.out.ends_with("</svg>\n"), "{}", ran.out);
    for name in ["text", "title", "svg"] {
        assert_eq!(tags(&format!("<{name}")), tags(&format!("</{name}>")), "{name}");
    }
    assert_eq!(tags("<rect"), tags("</rect>") + tags("/>"));
    assert!(ran.out.contains(">large</text>") && ran.out.contains(">small</text>"), "{}", ran.out);
    assert!(
        dir.run(&["report", "--format", "svg", "clean"]).out.contains("1 task, and what becomes of them")
    );
    let wrong = dir.run(&["report", "--format", "png"]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.err.contains("there is no `png`; the choices are markdown, svg"), "{}", wrong.err);
}
