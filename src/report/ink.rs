//! Colours by role: one drawing serves a light and a dark page.
//!
//! The drawing library needs fixed colours. Every role is therefore drawn in a unique placeholder colour, which is then
//! replaced by a class. The style sheet gives the class its colours for light and for dark. Series colours are those of Okabe &
//! Ito (<https://jfly.uni-koeln.de/color/>), which people with any colour vision can distinguish; some are darkened on white,
//! so that every line has a contrast of at least 3 to 1.

use plotters::style::RGBColor;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Words and axes.
    Text,
    /// Lines of the grid.
    Grid,
    /// A level or a span to compare with.
    Mark,
    /// The series of this number.
    Series(usize),
}

/// Number of series with different colours; the next one has the first colour with another dash.
pub(super) const COLOURS: usize = 8;
const ROLES: usize = 3;

/// Colours on white, then on black.
const SERIES: [[&str; COLOURS]; 2] = [
    ["#0072b2", "#d55e00", "#00805d", "#b8528c", "#9a6a00", "#2b86c0", "#5b5b5b", "#7a4fbf"],
    ["#56b4e9", "#ff8c42", "#2fd0a0", "#e79ac5", "#e6b422", "#9fd6ff", "#bdbdbd", "#b79cf0"],
];
/// Text, grid, mark; on white, then on black.
const PLAIN: [[&str; ROLES]; 2] = [["#1f2328", "#d9dde2", "#6a737d"], ["#e6e8eb", "#3a4048", "#a0a8b2"]];
/// Dashes, in units of the drawing.
const DASHES: [&str; COLOURS] = ["none", "16 6", "5 6", "16 5 4 5", "28 8", "9 4 3 4 3 4", "3 9", "22 5 9 5"];

impl Ink {
    fn all() -> impl Iterator<Item = Ink> {
        [Ink::Text, Ink::Grid, Ink::Mark].into_iter().chain((0..COLOURS).map(Ink::Series))
    }

    fn number(self) -> usize {
        match self {
            Ink::Text => 0,
            Ink::Grid => 1,
            Ink::Mark => 2,
            Ink::Series(number) => ROLES + number % COLOURS,
        }
    }

    /// The placeholder colour for drawing.
    pub fn stand_in(self) -> RGBColor {
        RGBColor(1, 2, self.number() as u8)
    }

    fn class(self) -> String {
        match self {
            Ink::Text => "text".to_owned(),
            Ink::Grid => "grid".to_owned(),
            Ink::Mark => "mark".to_owned(),
            Ink::Series(number) => format!("s{number}"),
        }
    }
}

/// The drawing with a class `f-…` for each filled role and `l-…` for each line.
pub(super) fn with_classes(drawing: &str) -> String {
    Ink::all().fold(drawing.to_owned(), |drawing, ink| {
        let (RGBColor(r, g, b), class) = (ink.stand_in(), ink.class());
        let colour = format!("\"#{r:02X}{g:02X}{b:02X}\"");
        let lines = drawing.replace(&format!("stroke={colour}"), &format!("class=\"l-{class}\""));
        lines.replace(&format!("fill={colour}"), &format!("class=\"f-{class}\""))
    })
}

/// The style sheet of all drawings, for light and dark.
pub(super) fn style_sheet() -> String {
    let mut sheet = String::new();
    for (theme, (series, plain)) in SERIES.iter().zip(PLAIN).enumerate() {
        let colours = plain.iter().chain(series);
        let rules: String = Ink::all()
            .zip(colours)
            .map(|(ink, colour)| format!(".f-{0}{{fill:{colour}}}.l-{0}{{stroke:{colour}}}", ink.class()))
            .collect();
        sheet += &if theme == 0 { rules } else { format!("@media screen and (prefers-color-scheme:dark){{{rules}}}") };
    }
    for (number, dash) in DASHES.iter().enumerate().skip(1) {
        sheet += &format!("polyline.l-s{number}{{stroke-dasharray:{dash}}}");
    }
    sheet + "polyline.l-mark{stroke-dasharray:8 8}text{font-family:system-ui,sans-serif}"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.2, <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn every_line_has_contrast() {
        for (theme, page) in [("#ffffff", 0), ("#14171a", 1)].map(|(page, theme)| (theme, luminance(page))) {
            for colour in SERIES[theme] {
                let (a, b) = (luminance(colour) + 0.05, page + 0.05);
                let contrast = a.max(b) / a.min(b);
                assert!(contrast >= 3.0, "{colour}: {contrast}");
            }
        }
    }

    #[test]
    fn stand_ins_become_classes() {
        let drawing = "<line stroke=\"#010200\"/><circle fill=\"#010204\" stroke=\"none\"/>";
        assert_eq!(with_classes(drawing), "<line class=\"l-text\"/><circle class=\"f-s1\" stroke=\"none\"/>");
    }
}
