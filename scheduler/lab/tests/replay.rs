//! A failing lab test tells a line, with which another process has the same run again, byte for byte.

mod child;

use asupersync_lab::Explore;
use asupersync_lab::explore::Sampling;
use child::{crosswise, line};

#[test]
#[ignore = "fails on purpose, for the tests below"]
fn explored() {
    Explore::optimal().check(crosswise);
}

#[test]
#[ignore = "fails on purpose, for the tests below"]
fn sampled() {
    Explore::sample(Sampling::Walk, 7, 10_000).check(crosswise);
}

fn said(test: &str, replay: Option<&str>) -> String {
    let variables: Vec<_> = replay.iter().map(|line| ("ASUPERSYNC_LAB_REPLAY", *line)).collect();
    child::said(test, &variables)
}

/// From the failure on, but not in which run it was.
fn failure(text: &str) -> &str {
    let begin = text.find("deadlock: no task").unwrap_or_else(|| panic!("no deadlock in\n{text}"));
    let end = text.find("note: run with").unwrap_or(text.len());
    &text[begin..end]
}

#[test]
fn the_line_has_the_same_run_again_in_another_process() {
    for test in ["explored", "sampled"] {
        let first = said(test, None);
        let again = said(test, Some(line(&first)));
        assert_eq!(failure(&first), failure(&again));
        assert_eq!(failure(&again), failure(&said(test, Some(line(&first)))));
    }
}

#[test]
fn the_first_screen_tells_what_who_how_and_where() {
    let text = said("explored", None);
    let screen: Vec<&str> = text.lines().take(40).collect();
    let screen = screen.join("\n");
    for part in [
        "explored, run ",
        "deadlock: no task can go on",
        "waits for a mutex",
        "ASUPERSYNC_LAB_REPLAY='1:",
        "plato#",
        "kant#",
        "picture: ",
    ] {
        assert!(screen.contains(part), "no `{part}` in\n{screen}");
    }
    let (_, rest) = text.split_once("picture: ").expect("a picture");
    let picture = rest.split(',').next().expect("its name");
    let page = std::fs::read_to_string(picture).expect("the picture is there");
    assert!(page.contains("plato") && page.contains("<table>"));
    let chrome = picture.replace(".html", ".trace.json");
    let chrome = std::fs::read_to_string(chrome).expect("the track is there");
    assert!(chrome.contains(r#""ph":"X""#));
}

#[test]
fn a_line_that_is_none_is_told() {
    let text = said("explored", Some("9:0"));
    assert!(text.contains("of version 9, and this lab replays version 1"), "{text}");
}
