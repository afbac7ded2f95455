//! Stacked bars by year, as places and sizes that a template sets into an SVG.
//!
//! # Why
//! *The server draws it*: it is there without a script, prints as it is shown, and the numbers stand in a table beside it for
//! those who do not see it. No colour is set here: what a part is called is a class of the style, in the legend as in the bar.

/// Everything fits into so many units; the browser scales them.
pub const WIDTH: u32 = 960;
pub const HEIGHT: u32 = 340;
const LEFT: f64 = 70.0;
const TOP: f64 = 14.0;
const FOOT: f64 = 44.0;
/// Lines across the plot, the lowest included.
const LINES: u32 = 4;

/// A plot that is ready to be set.
pub struct Plot {
    pub bars: Vec<Bar>,
    pub lines: Vec<Line>,
}

/// One year.
pub struct Bar {
    pub name: String,
    /// Where its name stands.
    pub at: String,
    pub parts: Vec<Part>,
}

/// One group of one year.
pub struct Part {
    pub group: usize,
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    /// Said by who points at it, and by screen readers.
    pub told: String,
}

/// A line across, with its value.
pub struct Line {
    pub y: String,
    pub value: String,
}

/// Draws bars: each has a name and one value a group. `told` says a part in words, `value` a number at a line.
pub fn plot(
    bars: &[(String, Vec<u64>)],
    told: impl Fn(&str, usize, u64) -> String,
    value: impl Fn(u64) -> String,
) -> Plot {
    let top = bars.iter().map(|(_, parts)| parts.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let top = rounded(top);
    let (width, height) = (f64::from(WIDTH) - LEFT, f64::from(HEIGHT) - TOP - FOOT);
    let room = width / bars.len().max(1) as f64;
    let scale = |value: u64| value as f64 / top as f64 * height;
    let drawn = bars.iter().enumerate().map(|(n, (name, parts))| {
        let x = LEFT + room * n as f64 + room * 0.15;
        let mut floor = TOP + height;
        let parts = parts.iter().enumerate().filter(|(_, value)| **value > 0).map(|(group, value)| {
            // What is there is seen, however little it is.
            let tall = scale(*value).max(1.0);
            floor -= tall;
            let (x, y, width) = (short(x), short(floor), short(room * 0.7));
            Part { group, x, y, width, height: short(tall), told: told(name, group, *value) }
        });
        Bar { parts: parts.collect(), name: name.clone(), at: short(x + room * 0.35) }
    });
    let lines = (0..=LINES).map(|n| {
        let at = top / u64::from(LINES) * u64::from(n);
        Line { y: short(TOP + height - scale(at)), value: value(at) }
    });
    Plot { bars: drawn.collect(), lines: lines.collect() }
}

/// The next number that parts into the lines without a rest: 4, 8, 12, 20, 40, 80, …
fn rounded(top: u64) -> u64 {
    let mut step: u64 = 1;
    loop {
        for lines in [1, 2, 3, 5] {
            let round = step.saturating_mul(lines).saturating_mul(u64::from(LINES));
            if round >= top {
                return round;
            }
        }
        step = step.saturating_mul(10);
    }
}

fn short(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_ground_and_end_below_the_top() {
        let bars = [("2026".to_owned(), vec![30, 0, 10]), ("2027".to_owned(), vec![1, 1, 1])];
        let plot = plot(&bars, |name, group, value| format!("{name} {group} {value}"), |value| value.to_string());
        assert_eq!(plot.lines.last().unwrap().value, "40");
        assert_eq!(plot.bars[0].parts.len(), 2, "what is nothing is not drawn");
        let number = |text: &str| text.parse::<f64>().unwrap();
        for bar in &plot.bars {
            let floor = number(&bar.parts[0].y) + number(&bar.parts[0].height);
            assert!((floor - (f64::from(HEIGHT) - FOOT)).abs() < 0.2, "{floor}");
            assert!(bar.parts.iter().all(|part| number(&part.y) >= TOP - 0.1));
        }
        assert_eq!(plot.bars[1].parts[1].told, "2027 1 1");
    }

    #[test]
    fn lines_have_round_values() {
        for (top, round) in [(1, 4), (5, 8), (13, 20), (21, 40), (100, 120), (1_000_000, 1_200_000)] {
            assert_eq!(rounded(top), round, "{top}");
        }
        assert!(rounded(u64::MAX) >= u64::MAX / 2);
    }
}
