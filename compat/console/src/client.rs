//! A console: asks a program what its tasks do, as tokio-console does.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use console_api::field::{Name, Value};
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_api::tasks::{Stats, Task};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::Error;

/// What it shows takes no longer than this to come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Console {
    updates: Streaming<Update>,
    /// The names of the fields of each kind of span.
    fields: HashMap<u64, Vec<String>>,
    tasks: HashMap<u64, Shown>,
}

/// One task, as a console shows it.
#[derive(Debug)]
pub(crate) struct Shown {
    fields: HashMap<String, String>,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) stats: Stats,
}

impl Shown {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub(crate) fn polls(&self) -> u64 {
        self.stats.poll_stats.as_ref().map_or(0, |polls| polls.polls)
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.stats.dropped_at.is_some()
    }

    pub(crate) fn is_running(&self) -> bool {
        let polls = self.stats.poll_stats.as_ref();
        polls.is_some_and(|polls| nanos(polls.last_poll_started) > nanos(polls.last_poll_ended))
    }

    /// The stock console's rule for "this task has lost its waker, and will never be woken again".
    pub(crate) fn looks_lost(&self) -> bool {
        let started = self.stats.poll_stats.as_ref().and_then(|polls| nanos(polls.last_poll_started));
        let awakened = self.polls() == 0 || nanos(self.stats.last_wake) > started;
        let wakers = self.stats.waker_clones.saturating_sub(self.stats.waker_drops);
        self.field("kind") != "blocking"
            && !self.is_completed()
            && wakers == 0
            && !self.is_running()
            && !awakened
    }
}

fn nanos(at: Option<prost_types::Timestamp>) -> Option<i128> {
    at.map(|at| i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos))
}

impl Console {
    /// Connects to the program that listens, or is about to, on a Unix socket.
    pub(crate) async fn connect(socket: &Path) -> Result<Console, Error> {
        let connected = async {
            loop {
                let path = socket.to_owned();
                let connect = tower::service_fn(move |_| {
                    let path = path.clone();
                    async move { UnixStream::connect(path).await.map(TokioIo::new) }
                });
                // The address is not used, but there must be one.
                match Endpoint::from_static("http://localhost").connect_with_connector(connect).await {
                    Ok(channel) => break channel,
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let channel: Channel = timeout(PATIENCE, connected).await.map_err(|_| "nobody listens")?;
        // Of an old program, all that it has ever shown comes in one message.
        let mut client = InstrumentClient::new(channel).max_decoding_message_size(usize::MAX);
        let updates = client.watch_updates(InstrumentRequest {}).await?.into_inner();
        Ok(Console { updates, fields: HashMap::new(), tasks: HashMap::new() })
    }

    /// Takes updates until `met` finds nothing missing.
    pub(crate) async fn wait_for(
        &mut self,
        what: &str,
        met: impl Fn(&[&Shown]) -> Result<(), String>,
    ) -> Result<(), Error> {
        let mut missing = String::from("nothing came");
        let waited = timeout(PATIENCE, async {
            while let Some(update) = self.updates.message().await? {
                self.take(update);
                let tasks: Vec<&Shown> = self.tasks.values().collect();
                // Tokio's tasks are told of too.
                let mut ours = tasks.iter().filter(|task| !task.field("region").is_empty());
                if let Some(lost) = ours.find(|task| task.looks_lost()) {
                    return Err(format!("a stock console would call this task lost: {lost:#?}").into());
                }
                match met(&tasks) {
                    Ok(()) => return Ok(()),
                    Err(problem) => missing = problem,
                }
            }
            Err(Error::from("the program went away"))
        })
        .await;
        waited.unwrap_or_else(|_| Err(format!("{what}: {missing}").into()))
    }

    fn take(&mut self, update: Update) {
        for new in update.new_metadata.into_iter().flat_map(|new| new.metadata) {
            if let (Some(id), Some(metadata)) = (new.id, new.metadata) {
                self.fields.insert(id.id, metadata.field_names);
            }
        }
        let Some(update) = update.task_update else { return };
        let mut stats = update.stats_update;
        for task in update.new_tasks {
            if let Some(id) = task.id.map(|id| id.id)
                && let Some(stats) = stats.remove(&id)
            {
                let shown = self.shown(task, stats);
                self.tasks.insert(id, shown);
            }
        }
        for (id, stats) in stats {
            self.tasks.entry(id).and_modify(|task| task.stats = stats);
        }
    }

    fn shown(&self, task: Task, stats: Stats) -> Shown {
        let names = task.metadata.and_then(|metadata| self.fields.get(&metadata.id));
        let fields = task.fields.into_iter().filter_map(|field| {
            let name = match field.name? {
                Name::StrName(name) => name,
                Name::NameIdx(index) => names?.get(usize::try_from(index).ok()?)?.clone(),
            };
            let value = match field.value? {
                Value::DebugVal(text) | Value::StrVal(text) => text,
                Value::U64Val(number) => number.to_string(),
                Value::I64Val(number) => number.to_string(),
                Value::BoolVal(truth) => truth.to_string(),
            };
            Some((name, value))
        });
        let fields = fields.collect();
        let location = task.location.unwrap_or_default();
        Shown { fields, file: location.file.unwrap_or_default(), line: location.line.unwrap_or(0), stats }
    }
}
