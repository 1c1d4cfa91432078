//! What another runtime did for a region and did not end: told by whoever owns that runtime, so that the
//! region's report is whole.

use std::panic::Location;

use super::report::{Leftover, LeftoverKind};
use crate::cx::Cx;
use crate::lock::lock;
use crate::time::Time;

impl<C> Cx<C> {
    /// Enters something that did not end by itself into the report of this region: work of another
    /// runtime, which the region did not run but answers for. Once the report is made it has no effect.
    ///
    /// `name` and `site` are its name and the line that started it, `since` is when that was.
    ///
    /// ```
    /// use asupersync::region::LeftoverKind;
    /// use asupersync::{Cx, Outcome, Region};
    /// use std::panic::Location;
    ///
    /// #[asupersync::main]
    /// async fn main(cx: &Cx) -> Outcome {
    ///     let (_, report) = Region::builder("imports")
    ///         .open_with_report(cx, async |cx: &Cx| {
    ///             let since = cx.now();
    ///             cx.defer(async move |cx: &Cx| {
    ///                 cx.report_leftover(LeftoverKind::ForeignAborted, "page 7", Location::caller(), since);
    ///             })?;
    ///             Outcome::Ok(())
    ///         })
    ///         .await;
    ///     assert_eq!(&*report.leftovers[0].name, "page 7");
    ///     Ok(())
    /// }
    /// ```
    pub fn report_leftover(
        &self,
        kind: LeftoverKind,
        name: &str,
        site: &'static Location<'static>,
        since: Time,
    ) {
        let node = self.node();
        let (name, path, age) = (name.into(), node.path(), node.tree.host.now() - since);
        let mut inner = lock(&node.inner);
        let phase = inner.state.phase;
        inner.keep(Leftover { kind, name, site, path, phase, age, task: None, awaited: None });
    }
}
