//! Databases, and pools of connections to them.

use std::net::SocketAddr;

use asupersync_crates::{BoxError, Expected, Pace, Row};
use redis::AsyncCommands;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "sqlx (SQLite)",
            "a transaction in memory; each connection has a thread of its own, `run`",
            |place| async move { place.inside(sqlite(place.pace.clone())).await },
        ),
        Row::new(
            "rusqlite",
            "a statement in a job, `blocking`; one that never ends cannot be stopped",
            |place| async move {
                let pace = place.pace.clone();
                let job = place.tokio.blocking(&place.cx, move || job(pace)).await;
                job.map_err(|failure| failure.to_string())?
            },
        )
        .expect(Expected::Quarantined),
        Row::new(
            "bb8",
            "a pool of TCP connections, `run`; with lifetimes, its reaper sleeps on for up to 30 s after the pool is dropped, so that the drain takes all of its budget",
            |place| async move { place.inside(pool(place.pace.clone())).await },
        ),
    ]
}

pub(crate) fn redis(port: u16) -> Row {
    Row::new("redis", "a blocking pop over one connection, `run`", move |place| async move {
        place.inside(popped(place.pace.clone(), port)).await
    })
}

pub(crate) fn postgres(port: u16) -> Vec<Row> {
    vec![
        Row::new(
            "sqlx (PostgreSQL)",
            "a pool, closed by the enclave, `owned` with `ending`; the server goes on with a statement whose connection is dropped",
            move |place| async move {
                let options =
                    PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("postgres");
                let pool = place.tokio.run(&place.cx, PgPoolOptions::new().connect_with(options)).await;
                let pool = place.tokio.owned(pool.map_err(|failure| failure.to_string())??);
                let pool = pool.ending(async |pool: std::sync::Arc<PgPool>| pool.close().await);
                let pace = place.pace.clone();
                let query = pool.call(&place.cx, async move |pool: &PgPool| transaction(pool, pace).await);
                query.await.map_err(|failure| failure.to_string())?
            },
        ),
        Row::new(
            "tokio-postgres",
            "a query, and one that is cancelled at the server, `run`; the server goes on with one that is only dropped",
            move |place| async move { place.inside(cancelled_query(place.pace.clone(), port)).await },
        ),
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Result<(), BoxError> {
    if got == wanted { Ok(()) } else { Err(format!("{got:?} is not {wanted:?}").into()) }
}

async fn sqlite(pace: Pace) -> Result<(), BoxError> {
    let options = SqliteConnectOptions::new().in_memory(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query("create table t (n integer)").execute(&pool).await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("insert into t values (7)").execute(&mut *transaction).await?;
    pace.middle().await;
    transaction.commit().await?;
    let n: i64 = sqlx::query_scalar("select n from t").fetch_one(&pool).await?;
    pool.close().await;
    same(n, 7)
}

fn job(pace: Pace) -> Result<(), BoxError> {
    let connection = rusqlite::Connection::open_in_memory()?;
    connection.execute("create table t (n integer)", ())?;
    pace.block();
    connection.execute("insert into t values (7)", ())?;
    same(connection.query_row("select n from t", (), |row| row.get::<_, i64>(0))?, 7)
}

struct Connections(SocketAddr);

impl bb8::ManageConnection for Connections {
    type Connection = TcpStream;
    type Error = std::io::Error;

    async fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }

    async fn is_valid(&self, connection: &mut TcpStream) -> std::io::Result<()> {
        connection.write_u8(1).await?;
        connection.read_u8().await.map(drop)
    }

    fn has_broken(&self, _: &mut TcpStream) -> bool {
        false
    }
}

async fn pool(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        loop {
            match stream.read_u8().await {
                Ok(2) => pace.middle().await,
                Ok(_) => {}
                Err(_) => return Ok::<_, BoxError>(()),
            }
            stream.write_u8(1).await?;
        }
    });
    let pool = bb8::Pool::builder()
        .max_size(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .build(Connections(addr))
        .await?;
    let mut connection = pool.get().await.map_err(|error| format!("{error:?}"))?;
    connection.write_u8(2).await?;
    same(connection.read_u8().await?, 1)?;
    drop(connection);
    drop(pool);
    server.await?
}

async fn popped(pace: Pace, port: u16) -> Result<(), BoxError> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let key = format!("list-{:?}", tokio::task::id());
    let (mut pops, mut pushes) =
        (client.get_multiplexed_async_connection().await?, client.get_multiplexed_async_connection().await?);
    pops.set_response_timeout(std::time::Duration::from_secs(60));
    let other = key.clone();
    let pushed = tokio::spawn(async move {
        pace.middle().await;
        pushes.rpush::<_, _, usize>(other, "hello").await
    });
    let (_, value): (String, String) = pops.blpop(&key, 0.0).await?;
    pushed.await??;
    same(value, "hello".into())
}

async fn transaction(pool: &PgPool, pace: Pace) -> Result<(), BoxError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("create temporary table t (n int8) on commit drop").execute(&mut *transaction).await?;
    sqlx::query("insert into t values (7)").execute(&mut *transaction).await?;
    pace.middle().await;
    if pace.is_endless() {
        sqlx::query("select pg_sleep(1000)").execute(&mut *transaction).await?;
    }
    let n: i64 = sqlx::query_scalar("select n from t").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    let mut connection = pool.acquire().await?;
    connection.ping().await?;
    same(n, 7)
}

async fn cancelled_query(pace: Pace, port: u16) -> Result<(), BoxError> {
    let config = format!("host=127.0.0.1 port={port} user=postgres");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
    let connection = tokio::spawn(connection);
    let row = client.query_one("select $1::int8 + 1", &[&6_i64]).await?;
    same(row.get::<_, i64>(0), 7)?;
    let (token, paced) = (client.cancel_token(), pace.clone());
    let cancels = tokio::spawn(async move {
        paced.middle().await;
        // The server may not have begun the query yet, and then has nothing to cancel.
        loop {
            token.cancel_query(NoTls).await?;
            // a wait, not a synchronisation: between attempts
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        #[expect(unreachable_code, reason = "its type")]
        Ok::<(), tokio_postgres::Error>(())
    });
    let slept = client.execute("select pg_sleep(1000)", &[]).await;
    cancels.abort();
    drop(cancels.await);
    let code = slept.err().and_then(|error| error.code().cloned());
    same(code, Some(SqlState::QUERY_CANCELED))?;
    drop(client);
    connection.await??;
    Ok(())
}
