//! The table of crates, as `target/crate-table.md`; see `src/lib.rs`.

mod data;
mod http;
mod net;
mod plain;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use asupersync_compat::guest::Enclave;
use asupersync_core::{Cx, Outcome};
use asupersync_crates::{Postgres, Redis, Row, Table, check, require};
use asupersync_scheduler::Runtime;

/// Rows that need a server which is not there.
struct Skipped(&'static [&'static str], &'static str);

fn rows() -> (Vec<Row>, Vec<Skipped>, Option<Redis>, Option<Postgres>) {
    let (mut rows, mut skipped) = (Vec::new(), Vec::new());
    rows.extend(plain::rows());
    rows.extend(net::rows());
    rows.extend(http::rows());
    rows.extend(data::rows());
    let redis = require("redis-server", Redis::start());
    match &redis {
        Some(redis) => rows.push(data::redis(redis.port)),
        None => skipped.push(Skipped(&["redis"], "redis-server is not installed")),
    }
    let postgres = require("PostgreSQL", Postgres::start());
    match &postgres {
        Some(postgres) => rows.extend(data::postgres(postgres.port)),
        None => {
            skipped.push(Skipped(&["sqlx (PostgreSQL)", "tokio-postgres"], "PostgreSQL is not installed"))
        }
    }
    (rows, skipped, redis, postgres)
}

#[test]
fn every_crate_does_as_the_table_says() {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    let ended = runtime.block_on(async |cx: &Cx| {
        let starts = cx.run_blocking("servers", || Ok(rows()));
        let (rows, skipped, _redis, _postgres) = starts.await?;
        let only = std::env::var("ROW").ok();
        let (mut table, mut others) = (Table::default(), Vec::new());
        for row in rows.into_iter().map(Arc::new) {
            if only.as_ref().is_some_and(|only| !row.name.contains(&**only)) {
                continue;
            }
            let mut checked = Vec::new();
            for (flavour, enclaves) in [
                ("multi_thread", Enclave::builder()),
                ("current_thread", Enclave::builder().current_thread()),
            ] {
                let is = check(cx, &row, &enclaves).await;
                println!("{} ({flavour}): {:?}", row.name, is.columns);
                if !is.is(row.expected) {
                    others.push(format!(
                        "{} ({flavour}) is expected to be {:?}: {is:?}",
                        row.name, row.expected
                    ));
                }
                checked.push((flavour, is));
            }
            table.push(&row, &checked);
        }
        for Skipped(names, why) in skipped {
            names.iter().for_each(|name| table.skip(name, why));
        }
        println!("{table}");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("crate-table.md"), table.to_string())?;
        assert!(others.is_empty(), "{}", others.join("\n"));
        Outcome::Ok(())
    });
    ended.unwrap_or_else(|failure| panic!("{failure:?}"));
}
