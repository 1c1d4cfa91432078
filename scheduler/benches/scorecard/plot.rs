//! Curves as an SVG picture with logarithmic axes.

use std::fmt::Write as _;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 36.0;
const COLOURS: [&str; 4] = ["#c0392b", "#2471a3", "#85929e", "#b7950b"];

pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

pub(crate) struct Plot {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) series: Vec<Series>,
}

/// From powers of ten to places in the picture.
struct Axis {
    from: f64,
    to: f64,
    begin: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let powers: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
        let from = powers.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let to = powers.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        if from < to { Axis { from, to, begin, end } } else { Axis { from: 0.0, to: 1.0, begin, end } }
    }

    fn at(&self, value: f64) -> f64 {
        self.begin + (value.log10() - self.from) / (self.to - self.from) * (self.end - self.begin)
    }

    /// The powers of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| 10_f64.powi(power))
    }
}

impl Plot {
    /// All of them, one below the other.
    pub(crate) fn page(plots: &[Plot]) -> String {
        let height = HEIGHT * plots.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for (index, plot) in plots.iter().enumerate() {
            writeln!(svg, "<g transform=\"translate(0 {})\">", HEIGHT * index as f64)
                .expect("a String takes all");
            plot.draw(&mut svg).expect("a String takes everything");
            svg.push_str("</g>\n");
        }
        svg + "</svg>\n"
    }

    fn draw(&self, svg: &mut String) -> std::fmt::Result {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
        let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
        writeln!(svg, "<text x=\"8\" y=\"18\" font-weight=\"bold\">{}</text>", self.name)?;
        writeln!(svg, "<text x=\"8\" y=\"33\" fill=\"#555\">{}</text>", self.unit)?;
        for tick in x.ticks() {
            let (at, below) = (x.at(tick), HEIGHT - BOTTOM);
            writeln!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{below}\" stroke=\"#ddd\"/>"
            )?;
            let label = below + 16.0;
            writeln!(svg, "<text x=\"{at:.1}\" y=\"{label}\" text-anchor=\"middle\">{}</text>", short(tick))?;
        }
        for tick in y.ticks() {
            let (at, right) = (y.at(tick), WIDTH - RIGHT);
            writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>"
            )?;
            let (label, baseline) = (LEFT - 6.0, at + 4.0);
            writeln!(
                svg,
                "<text x=\"{label}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>",
                short(tick)
            )?;
        }
        let mut below = f64::NEG_INFINITY;
        let mut ends: Vec<(usize, f64)> = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let line: Vec<String> = series
                .points
                .iter()
                .map(|(at, cost)| format!("{:.1},{:.1}", x.at(*at), y.at(*cost)))
                .collect();
            let line = line.join(" ");
            writeln!(
                svg,
                "<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            )?;
            for (at, cost) in &series.points {
                writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                    x.at(*at),
                    y.at(*cost)
                )?;
            }
            ends.extend(series.points.last().map(|(_, cost)| (index, y.at(*cost))));
        }
        // A name beside the end of each curve, none over another.
        ends.sort_by(|a, b| a.1.total_cmp(&b.1));
        for (index, end) in ends {
            below = end.max(below + 13.0);
            let (at, colour) = (WIDTH - RIGHT + 8.0, COLOURS[index % COLOURS.len()]);
            let name = self.series[index].name;
            writeln!(svg, "<text x=\"{at}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>", below + 4.0)?;
        }
        Ok(())
    }
}

/// A power of ten, as axes have it.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        _ => value.to_string(),
    }
}
