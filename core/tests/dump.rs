//! A dump as other programs read it: JSON by a parser of its own, DOT by its grammar and by Graphviz,
//! and text by people, at a terminal that names must not reach as they are.

use std::future::pending;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use asupersync::channel::oneshot;
use asupersync::obligation::hold;
use asupersync::region::dump::Dump;
use asupersync::sync::Notify;
use asupersync::{Budget, Cx, Handle, Region, Runtime};
use serde_json::Value;

/// What no name should be, and any may.
const NASTY: &str = "a \"quoted\" \\back\\slash,\nnew\tlines\u{1}, \u{1b}[2J, ünïcode ☂, &lt; and \\N{}<>|";

/// A tree with something of everything.
fn everything() -> Dump {
    let runtime = Runtime::builder()
        .workers(1)
        .drain(Budget::timeout(Duration::from_millis(1)))
        .build()
        .expect("a runtime");
    let (tell, mut told) = oneshot::channel();
    let ran = runtime.block_on(async move |cx: &Cx| {
        let (tell_two, mut told_two) = oneshot::channel::<Handle<()>>();
        let one = cx.spawn("one", async move |cx: &Cx| told_two.recv(cx).await?.join().await);
        drop(tell_two.send(cx.spawn("two", async move |_: &Cx| one.join().await)));
        let never = Arc::new(Notify::new());
        for _ in 0..10 {
            let never = never.clone();
            drop(cx.spawn(NASTY, async move |cx: &Cx| Ok(never.notified(cx).await?)));
        }
        let asker = cx.clone();
        let work = Budget::timeout(Duration::from_secs(60)).with_cost(9);
        drop(cx.spork(&format!("{NASTY}!"), async |cx: &Cx| Ok(cx.sleep(Duration::from_secs(60)).await?)));
        let spends = Region::builder("spends").budget(work);
        let opened = spends.open(cx, async |cx: &Cx| {
            let (tx, _rx) = oneshot::channel::<()>();
            let permit = hold(cx, tx, async |permit| {
                let (permit, done) = permit.detach();
                done.with(permit)
            })
            .await;
            cx.defer(async |_: &Cx| ())?;
            cx.defer(async move |cx: &Cx| {
                let _permit = permit;
                for _ in 0..100 {
                    cx.yield_now().await?;
                }
                drop(tell.send(asker.dump()));
                Ok(())
            })?;
            drop(cx.spawn_future("foreign", pending::<()>()));
            Ok(())
        });
        drop(opened.await);
        Ok(())
    });
    drop(ran);
    told.try_recv().expect("the finalizer told")
}

fn find<'a>(value: &'a Value, list: &str, name: &str) -> &'a Value {
    let all = value[list].as_array().unwrap_or_else(|| panic!("no list `{list}` in {value}"));
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

#[test]
fn json_leaves_nothing_out() {
    let dump = everything();
    let json: Value = serde_json::from_str(&dump.to_json()).expect("it is JSON");
    assert_eq!((&json["version"], &json["at_ns"]), (&1.into(), &dump.at.as_nanos().into()));
    let root = find(&json, "regions", "root");
    assert_eq!((&root["parent"], &root["phase"]), (&Value::Null, &"open".into()));
    let nasty = root["tasks"].as_array().expect("a list").iter().filter(|task| task["name"] == NASTY);
    let nasty: Vec<&Value> = nasty.collect();
    assert_eq!(nasty.len(), 10);
    for task in nasty {
        assert_eq!(
            (&task["state"], &task["lane"], &task["level"]),
            (&"waiting".into(), &"ready".into(), &"clear".into())
        );
        let wait = &task["awaits"][0];
        assert_eq!((&wait["for"], wait["object"].is_u64()), (&"notify".into(), true), "{task}");
        assert!(task["site"].as_str().is_some_and(|site| site.contains("dump.rs:")), "{task}");
    }
    let (one, two) = (find(root, "tasks", "one"), find(root, "tasks", "two"));
    assert_eq!((&one["awaits"][0]["for"], &one["awaits"][0]["task"]), (&"join".into(), &two["id"]));
    assert_eq!(one["joined_by"], two["id"]);
    let circle = json["cycles"][0].as_array().expect("a circle");
    assert!(circle.len() == 2 && circle.contains(&serde_json::json!({"task": one["id"]})));
    let spends = find(&json, "regions", "spends");
    assert_eq!((&spends["parent"], &spends["phase"]), (&root["id"], &"finalizing".into()));
    assert_eq!(spends["opened_by"], find(root, "tasks", "main")["id"]);
    assert_eq!(
        (&spends["reason"]["kind"], &spends["reason"]["cause"]),
        (&"ParentClosed".into(), &Value::Null)
    );
    assert_eq!((&spends["finalizers"], &spends["finalizer"]["running"]), (&1.into(), &true.into()));
    assert_eq!(spends["finalizer"]["last_awaited"]["for"], "turn");
    assert_eq!(spends["obligations"][0]["kind"], "permit");
    assert!(spends["close_left_ns"].is_u64());
    let main = find(root, "tasks", "main");
    assert_eq!(main["budget"], Value::Null);
}

#[test]
fn every_field_of_the_table_is_there_and_no_other() {
    let json: Value = serde_json::from_str(&everything().to_json()).expect("it is JSON");
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    let mut region = vec![
        "id",
        "parent",
        "name",
        "path",
        "site",
        "age_ns",
        "phase",
        "body",
        "opened_by",
        "reason",
        "budget",
        "close_left_ns",
        "failed",
        "finalizers",
        "finalizer",
        "obligations",
        "tasks",
    ];
    let mut task = vec![
        "id",
        "name",
        "site",
        "age_ns",
        "state",
        "lane",
        "level",
        "reason",
        "budget",
        "awaits",
        "last_awaited",
        "local",
        "joined_by",
    ];
    region.sort_unstable();
    task.sort_unstable();
    for one in json["regions"].as_array().expect("a list") {
        assert_eq!(keys(one), region);
        for one in one["tasks"].as_array().expect("a list") {
            assert_eq!(keys(one), task);
        }
    }
}

/// Reads a graph by the part of the DOT grammar that we write: tells its nodes and edges.
fn parse(dot: &str) -> (Vec<&str>, Vec<(&str, &str)>) {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    let mut lines = dot.lines();
    assert_eq!(lines.next(), Some("digraph asupersync {"));
    assert_eq!(lines.next_back(), Some("}"));
    for line in lines {
        let statement = line.trim_start().strip_suffix(';').unwrap_or_else(|| panic!("no statement: {line}"));
        let (what, attributes) = statement.split_once(" [").unwrap_or((statement, "]"));
        let mut rest = attributes;
        let mut quoted = false;
        while let Some(at) = rest.find(['"', '\\', ']']) {
            match rest.as_bytes()[at] {
                b'"' => quoted = !quoted,
                b'\\' => {
                    assert!(quoted, "an escape outside of quotes: {line}");
                    let escaped = rest.as_bytes().get(at + 1);
                    assert!(matches!(escaped, Some(b'"' | b'\\' | b'n')), "no escape of DOT: {line}");
                    rest = &rest[at + 2..];
                    continue;
                }
                _ if !quoted => assert_eq!(at + 1, rest.len(), "more after the attributes: {line}"),
                _ => {}
            }
            rest = &rest[at + 1..];
        }
        assert!(!quoted && rest.is_empty(), "quotes left open: {line}");
        match what.split_once(" -> ") {
            Some(edge) => edges.push(edge),
            None if what == "node" || what == "edge" || what.contains('=') => {}
            None => nodes.push(what),
        }
    }
    (nodes, edges)
}

#[test]
fn dot_is_a_graph_whose_edges_join_its_nodes() {
    let dot = everything().to_dot();
    let (nodes, edges) = parse(&dot);
    let unique: std::collections::HashSet<_> = nodes.iter().collect();
    assert_eq!(unique.len(), nodes.len(), "{dot}");
    for (from, to) in &edges {
        assert!(unique.contains(from) && unique.contains(to), "{from} -> {to} in\n{dot}");
    }
    let red = dot.lines().filter(|line| line.contains("color=red"));
    assert_eq!(red.count(), 4, "two tasks, and that each waits for the other\n{dot}");
    assert!(dot.contains("and 9 more like it"), "{dot}");
}

#[test]
fn graphviz_draws_it() {
    let dot = everything().to_dot();
    let mut command = Command::new("dot");
    let started =
        command.arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: `dot` is not installed (Debian: graphviz); nobody has drawn the graph");
            return;
        }
        Err(error) => panic!("cannot start `dot`: {error}"),
    };
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(dot.as_bytes()).expect("it reads");
    drop(stdin);
    let drawn = child.wait_with_output().expect("it ends");
    let (svg, told) = (String::from_utf8_lossy(&drawn.stdout), String::from_utf8_lossy(&drawn.stderr));
    // It warns of a font that is missing, which is no fault of the graph.
    let faults: Vec<&str> = told.lines().filter(|line| line.contains("rror")).collect();
    assert!(drawn.status.success() && faults.is_empty(), "{told}\n{dot}");
    let (nodes, edges) = parse(&dot);
    let count = |class: &str| svg.matches(&format!("class=\"{class}\"")).count();
    assert_eq!((count("node"), count("edge")), (nodes.len(), edges.len()), "{svg}");
    assert!(svg.contains("&amp;lt; and"), "a name is not taken for HTML\n{svg}");
}

#[test]
fn text_folds_what_is_alike() {
    let text = everything().to_string();
    assert!(text.contains("! in a circle: task `one`"), "{text}");
    assert!(text.contains("and 9 more like it"), "{text}");
    assert!(text.contains("(#1)"), "all ten wait at one thing\n{text}");
    assert!(text.contains("finalizer running after a wait for its next turn"), "{text}");
    assert!(text.contains("owes: permit"), "{text}");
    assert!(text.contains("asked to close: the region closed"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "a name moves the cursor\n{text:?}");
    let shown = NASTY.replace('\n', "\\n").replace('\t', "\\t").replace('\u{1}', "\\u{1}");
    let shown = shown.replace('\u{1b}', "\\u{1b}");
    for name in [format!("task `{shown}`"), format!("region `{shown}!`")] {
        assert!(text.lines().any(|line| line.contains(&name)), "{text}");
    }
}
