//! Charts as inline SVG: step curves over time, and a histogram over a logarithmic axis.

use std::fmt::Write;

use crate::format::{count, decimal, escape, nanos};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;

/// A curve that is level within each span of x.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// Start, end and height, in order of time.
    pub(crate) steps: Vec<(f64, f64, f64)>,
}

/// The plot area: data coordinates to pixels, and the axes around it.
struct Frame {
    x: (f64, f64),
    y_max: f64,
    svg: String,
}

impl Frame {
    fn new(x: (f64, f64), y_max: f64, description: &str) -> Self {
        let label = escape(description);
        let svg =
            format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">\n");
        Frame { x, y_max, svg }
    }

    fn px(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn py(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - y / self.y_max * (HEIGHT - TOP - BOTTOM)
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.svg.write_fmt(element);
        self.svg.push('\n');
    }

    fn y_axis(&mut self, label: &str) {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        for tick in ticks(0.0, self.y_max, 5) {
            let y = self.py(tick);
            self.add(format_args!("<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>"));
            let (x, y, text) = (left - 8.0, y + 4.0, tick_text(tick));
            self.add(format_args!("<text class=\"end\" x=\"{x}\" y=\"{y:.1}\">{text}</text>"));
        }
        let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        self.add(format_args!(
            "<text class=\"mid\" transform=\"translate(14 {middle}) rotate(-90)\">{label}</text>"
        ));
    }

    fn x_axis(&mut self, ticks: impl IntoIterator<Item = (f64, String)>, label: &str) {
        let bottom = HEIGHT - BOTTOM;
        let right = WIDTH - RIGHT;
        self.add(format_args!("<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>"));
        for (at, text) in ticks {
            let x = self.px(at);
            self.add(format_args!("<path class=\"axis\" d=\"M{x:.1} {bottom}v5\"/>"));
            let y = bottom + 18.0;
            self.add(format_args!("<text class=\"mid\" x=\"{x:.1}\" y=\"{y}\">{text}</text>"));
        }
        let (x, y) = ((LEFT + right) / 2.0, HEIGHT - 8.0);
        self.add(format_args!("<text class=\"mid\" x=\"{x}\" y=\"{y}\">{label}</text>"));
    }

    /// Draws a curve in the colour of its place, and fills the area under the first one.
    fn draw(&mut self, curve: &Curve, place: usize) {
        let mut line = String::new();
        for &(from, to, height) in &curve.steps {
            let (from, to, y) = (self.px(from), self.px(to), self.py(height));
            let command = if line.is_empty() { 'M' } else { 'L' };
            let _ = write!(line, "{command}{from:.1} {y:.1}H{to:.1}");
        }
        if place == 0 {
            let base = self.py(0.0);
            self.add(format_args!("<path class=\"fill s0\" d=\"{line}V{base:.1}H{LEFT}Z\"/>"));
        }
        let name = curve.name;
        self.add(format_args!(
            "<path class=\"line s{place}\" d=\"{line}\"><title>{name}</title></path>"
        ));
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// Curves over seconds of capture time, the first one filled.
pub(crate) fn over_time(y_label: &str, curves: &[Curve]) -> String {
    let steps = || curves.iter().flat_map(|curve| &curve.steps);
    let end = steps().map(|step| step.1).fold(f64::MIN_POSITIVE, f64::max);
    let top = steps().map(|step| step.2).fold(1.0, f64::max);
    let (divisor, unit) = time_unit(end);
    let mut frame = Frame::new((0.0, end), headroom(top), &format!("{y_label} over capture time"));
    frame.y_axis(y_label);
    let marks: Vec<_> = ticks(0.0, end / divisor, 8)
        .into_iter()
        .map(|tick| (tick * divisor, tick_text(tick)))
        .collect();
    frame.x_axis(marks, &format!("capture time since the first packet, {unit}"));
    for (place, curve) in curves.iter().enumerate() {
        frame.draw(curve, place);
    }
    legend(curves) + &frame.finish()
}

fn legend(curves: &[Curve]) -> String {
    let mut html = String::new();
    if curves.len() > 1 {
        html.push_str("<p class=\"legend\">");
        for (place, curve) in curves.iter().enumerate() {
            let _ = write!(html, "<span class=\"s{place}\">{}</span>", curve.name);
        }
        html.push_str("</p>\n");
    }
    html
}

/// A histogram of times in ns; buckets are quarters of an octave wide. `marks` are named instants.
pub(crate) fn histogram(
    x_label: &str,
    y_label: &str,
    values: impl IntoIterator<Item = (u64, u64)>,
    marks: &[(&str, u64)],
) -> String {
    let mut buckets = std::collections::BTreeMap::<u32, u64>::new();
    for (value, number) in values {
        *buckets.entry(bucket(value)).or_default() += number;
    }
    let first = buckets.first_key_value().map_or(0, |(&first, _)| first);
    let last = buckets.last_key_value().map_or(first, |(&last, _)| last);
    let x = (f64::from(first) - 1.0, f64::from(last) + 2.0);
    let top = buckets.values().copied().max().unwrap_or(1) as f64;
    let mut frame = Frame::new(x, headroom(top), &format!("{y_label} by {x_label}"));
    frame.y_axis(y_label);
    let decades = (0..20).map(|power| 10_u64.saturating_pow(power)).chain([u64::MAX]);
    let inside = decades.filter(|&at| (x.0..=x.1).contains(&position(at)));
    frame.x_axis(inside.map(|at| (position(at), nanos(at))), x_label);
    for (bucket, number) in buckets {
        let (from, to) = (frame.px(f64::from(bucket)), frame.px(f64::from(bucket) + 1.0));
        let base = frame.py(0.0);
        // A lone value among thousands shall still be seen.
        let y = frame.py(number as f64).min(base - 1.5);
        let (width, height) = (to - from - 1.0, base - y);
        let (low, high) = (nanos(bucket_start(bucket)), nanos(bucket_start(bucket + 1)));
        let number = count(number);
        frame.add(format_args!(
            "<rect class=\"bar\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"><title>{low} to {high}: {number}</title></rect>"
        ));
    }
    for (line, &(name, at)) in marks.iter().enumerate() {
        let (x, bottom) = (frame.px(position(at)), HEIGHT - BOTTOM);
        frame.add(format_args!("<path class=\"mark\" d=\"M{x:.1} {TOP}V{bottom}\"/>"));
        // Labels of marks that lie close together stand on lines of their own.
        let (x, y) = (x + 4.0, TOP + 10.0 + 14.0 * line as f64);
        frame.add(format_args!("<text x=\"{x:.1}\" y=\"{y}\">{name}</text>"));
    }
    frame.finish()
}

/// Place of `nanos` on the logarithmic axis: 4 per octave, from 1 ns.
fn position(nanos: u64) -> f64 {
    (nanos.max(1) as f64).log2() * 4.0
}

fn bucket(nanos: u64) -> u32 {
    position(nanos) as u32
}

fn bucket_start(bucket: u32) -> u64 {
    (f64::from(bucket) / 4.0).exp2() as u64
}

/// `top` and a little more, so that curves keep clear of the edge.
fn headroom(top: f64) -> f64 {
    top * 1.08
}

/// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, about `wanted` of them.
fn ticks(low: f64, high: f64, wanted: u32) -> Vec<f64> {
    let raw = (high - low) / f64::from(wanted);
    let power = 10_f64.powf(raw.log10().floor());
    let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= raw).unwrap_or(10.0);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|number| number as f64 * step).collect()
}

/// A tick's number, without float noise.
fn tick_text(tick: f64) -> String {
    if tick >= 1e3 {
        count(tick.round() as u64)
    } else {
        decimal(tick, 9)
    }
}

/// The unit for a time axis up to `seconds`, and its length in seconds.
fn time_unit(seconds: f64) -> (f64, &'static str) {
    match seconds {
        s if s < 0.01 => (1e-6, "µs"),
        s if s < 1.0 => (1e-3, "ms"),
        s if s < 900.0 => (1.0, "s"),
        s if s < 4.0 * 3_600.0 => (60.0, "min"),
        s if s < 4.0 * 86_400.0 => (3_600.0, "h"),
        _ => (86_400.0, "days"),
    }
}
