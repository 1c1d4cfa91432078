//! Medians of paired ratios, and how sure they are.

/// A median with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// The percentile bootstrap (Efron 1979) of the median, with a fixed seed.
pub(crate) fn estimate(values: &[f64]) -> Estimate {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut medians: Vec<f64> = (0..2000)
        .map(|_| {
            let resampled: Vec<f64> =
                values.iter().map(|_| values[(next() % values.len() as u64) as usize]).collect();
            median(&resampled)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    Estimate { median: median(values), low: medians[49], high: medians[1949] }
}
