//! How long the client waits, as the budget of the request's region.

use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_core::Budget;
use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

/// What a request's region may use. In the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestBudget(pub(super) Budget);

/// Reads from its headers how long a request may take, and makes that the budget of its region: when it is
/// over the handler gets Request with reason `Deadline`, and drains. Goes around a
/// [`RegionLayer`](super::RegionLayer), and does nothing without one.
///
/// | header | what it says |
/// |---|---|
/// | `grpc-timeout` | up to 8 digits and `H`, `M`, `S`, `m`, `u` or `n`, as gRPC has it |
/// | `x-request-timeout` | a number of seconds, `1.5`, or of milliseconds, `1500ms` |
///
/// A header that says something else is passed over; of two, the shorter time counts.
///
/// ```
/// use asupersync_compat::tower::BudgetLayer;
/// use http::HeaderMap;
/// use std::time::Duration;
///
/// let limits = BudgetLayer::new().at_most(Duration::from_secs(30));
/// let mut headers = HeaderMap::new();
/// assert_eq!(limits.time(&headers), Some(Duration::from_secs(30)));
/// headers.insert("grpc-timeout", "250m".parse().unwrap());
/// assert_eq!(limits.time(&headers), Some(Duration::from_millis(250)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BudgetLayer {
    at_most: Option<Duration>,
}

impl BudgetLayer {
    /// As long as the headers say, and without a limit where they say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// As long as the headers say, but no longer than this, which is also for requests that say nothing.
    #[must_use]
    pub fn at_most(mut self, time: Duration) -> Self {
        self.at_most = Some(time);
        self
    }

    /// How long a request with these headers may take.
    pub fn time(&self, headers: &HeaderMap) -> Option<Duration> {
        let header =
            |name: &str, parse: fn(&str) -> Option<Duration>| parse(headers.get(name)?.to_str().ok()?);
        let said = [header("grpc-timeout", grpc), header("x-request-timeout", plain), self.at_most];
        said.into_iter().flatten().min()
    }
}

/// `TimeoutValue TimeoutUnit` of gRPC over HTTP/2.
fn grpc(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

fn plain(text: &str) -> Option<Duration> {
    match text.trim().strip_suffix("ms") {
        Some(millis) => Some(Duration::from_millis(millis.trim().parse().ok()?)),
        None => Duration::try_from_secs_f64(text.trim().parse().ok()?).ok(),
    }
}

impl<S> Layer<S> for BudgetLayer {
    type Service = BudgetService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BudgetService { inner, layer: *self }
    }
}

/// A service whose requests have the time that they ask for; made by [`BudgetLayer`].
#[derive(Clone, Debug)]
pub struct BudgetService<S> {
    inner: S,
    layer: BudgetLayer,
}

impl<S: Service<Request<A>>, A> Service<Request<A>> for BudgetService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        if let Some(time) = self.layer.time(request.headers()) {
            request.extensions_mut().insert(RequestBudget(Budget::timeout(time)));
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_of_grpc_are_read_and_nonsense_is_not() {
        let (second, ms) = (Duration::from_secs(1), Duration::from_millis(1));
        assert_eq!(grpc("1H"), Some(3600 * second));
        assert_eq!(grpc("2M"), Some(120 * second));
        assert_eq!(grpc("99999999S"), Some(99_999_999 * second));
        assert_eq!(grpc("3m"), Some(3 * ms));
        assert_eq!(grpc("4u"), Some(4 * ms / 1000));
        assert_eq!(grpc("5n"), Some(Duration::from_nanos(5)));
        for nonsense in ["", "S", "1", "-1S", "+1S", "123456789S", "1.5S", "1s", "1é", "é"] {
            assert_eq!(grpc(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn seconds_and_milliseconds_are_read_and_nonsense_is_not() {
        assert_eq!(plain("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(plain(" 20 ms "), Some(Duration::from_millis(20)));
        for nonsense in ["", "-1", "nan", "inf", "1e400", "ms", "1h", "-5ms"] {
            assert_eq!(plain(nonsense), None, "{nonsense}");
        }
    }
}
