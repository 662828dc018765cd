//! Line charts as SVG, drawn by `plotters` into text, without fonts, files or a screen.

use std::error::Error;

use maud::{Markup, PreEscaped, html};
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{AxisRange, AxisScale};
use super::ink::{Ink, style_sheet, with_classes};

/// Width and height of the drawing. The page shows it at a third of this size, so lines are smooth although the library works
/// in whole units.
const SIZE: (u32, u32) = (1320, 900);
const FONT: f64 = 52.0;
const LEGEND_LINE: i32 = 60;
/// The most labels of an axis.
const TICKS: usize = 6;

/// An axis of a chart.
#[derive(Debug, Clone)]
pub struct ChartAxis {
    /// The quantity it shows, with its unit.
    pub label: String,
    /// How values are mapped to distances.
    pub scale: AxisScale,
    /// Least and greatest value shown; `None` for the range of the data. Values beyond are drawn at the edge.
    pub ends: Option<(f64, f64)>,
}

/// Numbers that belong together: a line, a band around it, marks.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Index of its colour and dash, so that the same thing looks the same in all charts.
    pub colour: usize,
    /// `(x, y)` in the order of the line; a point without a position, such as NaN, interrupts it.
    pub line: Vec<(f64, f64)>,
    /// `(x, low, high)`.
    pub band: Vec<(f64, f64, f64)>,
    /// Points with a mark.
    pub marks: Vec<(f64, f64)>,
    /// Positions on the horizontal axis without a finite value: a cross at the upper edge.
    pub off_scale: Vec<f64>,
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Unique on its page: letters, digits and `-`.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// A description in words for readers who cannot see it.
    pub description: String,
    /// The horizontal axis.
    pub x: ChartAxis,
    /// The vertical axis.
    pub y: ChartAxis,
    /// What is drawn, from bottom to top.
    pub series: Vec<Series>,
    /// Horizontal reference lines.
    pub levels: Vec<f64>,
    /// Ranges of the horizontal axis that are shaded.
    pub spans: Vec<(f64, f64)>,
    /// The name of the shaded ranges in the legend; empty if the page explains them.
    pub span_name: String,
}

/// An entry of the legend.
#[derive(Clone, Copy)]
enum LegendEntry<'a> {
    Series(&'a Series),
    Spans(&'a str),
}

impl LegendEntry<'_> {
    fn name(&self) -> &str {
        match self {
            LegendEntry::Series(series) => &series.name,
            LegendEntry::Spans(name) => name,
        }
    }
}

/// Width of a text in the drawing; slightly too large, since fonts differ.
fn text_width(text: &str) -> i32 {
    (text.chars().count() as f64 * FONT * 0.56) as i32
}

type Drawn = Result<(), Box<dyn Error>>;
type Area<'a, 'b> = DrawingArea<SVGBackend<'a>, Shift>;
type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<AxisRange, AxisRange>>;

impl ChartAxis {
    /// An axis that shows all values.
    pub fn new(label: &str, scale: AxisScale) -> ChartAxis {
        ChartAxis { label: label.to_owned(), scale, ends: None }
    }
}

impl Chart {
    /// The SVG element for a page that has [`Chart::style`]. The same chart gives the same bytes.
    pub fn svg(&self) -> Markup {
        self.element(&html! {})
    }

    /// The SVG with its style, for a file of its own.
    pub fn svg_file(&self) -> String {
        self.element(&html! { style { (PreEscaped(Chart::style())) } }).into_string()
    }

    /// The style sheet of all charts: light, or dark if the reader's system is.
    pub fn style() -> String {
        style_sheet()
    }

    fn element(&self, style: &Markup) -> Markup {
        let mut drawing = String::new();
        self.draw(&mut drawing).expect("drawing into memory does not fail");
        let inside = drawing.split_once('\n').map_or("", |(_, inside)| inside);
        let (title, description) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) role="img"
                aria-labelledby=(title) aria-describedby=(description) {
                title id=(title) { (self.title) }
                desc id=(description) { (self.description) }
                (style)
                (PreEscaped(with_classes(inside.trim_end().trim_end_matches("</svg>"))))
            }
        }
    }

    fn draw(&self, drawing: &mut String) -> Drawn {
        let root = SVGBackend::with_string(drawing, SIZE).into_drawing_area();
        let legend = self.legend_lines();
        let (above, below) = root.split_vertically(legend.len() as i32 * LEGEND_LINE + 20);
        draw_legend(&above, &legend)?;
        let mut plot = ChartBuilder::on(&below)
            // Half of a label may extend beyond the end of the axis.
            .margin_right(24.max(10 + self.widest_tick(&self.x_axis()) / 2))
            .margin_top(12)
            .x_label_area_size(136)
            .y_label_area_size(112 + self.widest_tick(&self.y_axis()))
            .build_cartesian_2d(self.x_axis(), self.y_axis())?;
        self.draw_mesh(&mut plot)?;
        self.draw_levels(&mut plot)?;
        for series in &self.series {
            series.draw_band(&mut plot)?;
        }
        for series in &self.series {
            series.draw(&root, &mut plot)?;
        }
        root.present()?;
        Ok(())
    }

    /// Width of the widest label of an axis.
    fn widest_tick(&self, axis: &AxisRange) -> i32 {
        axis.ticks(TICKS).iter().map(|tick| text_width(&axis.format_ext(tick))).max().unwrap_or(0)
    }

    fn x_axis(&self) -> AxisRange {
        let series = self.series.iter().flat_map(|s| {
            let points = s.line.iter().chain(&s.marks).map(|(x, _)| *x);
            points.chain(s.band.iter().map(|(x, ..)| *x)).chain(s.off_scale.iter().copied())
        });
        let spans = self.spans.iter().flat_map(|(low, high)| [*low, *high]);
        AxisRange::around(series.chain(spans), self.x.scale, 0.02).with_ends(self.x.ends)
    }

    fn y_axis(&self) -> AxisRange {
        let series = self.series.iter().flat_map(|s| {
            let points = s.line.iter().chain(&s.marks).map(|(_, y)| *y);
            points.chain(s.band.iter().flat_map(|(_, low, high)| [*low, *high]))
        });
        AxisRange::around(series.chain(self.levels.iter().copied()), self.y.scale, 0.05).with_ends(self.y.ends)
    }

    fn draw_mesh(&self, plot: &mut Plot<'_, '_>) -> Drawn {
        let text = ("sans-serif", FONT).into_font().color(&Ink::Text.stand_in());
        plot.configure_mesh()
            .x_labels(TICKS)
            .y_labels(TICKS)
            .max_light_lines(0)
            .bold_line_style(Ink::Grid.stand_in().stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(Ink::Text.stand_in().stroke_width(2))
            .label_style(text.clone())
            .axis_desc_style(text)
            .set_all_tick_mark_size(8)
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .draw()?;
        Ok(())
    }

    fn draw_levels(&self, plot: &mut Plot<'_, '_>) -> Drawn {
        let (x, y) = (self.x_axis().ends(), self.y_axis().ends());
        for (low, high) in &self.spans {
            let shade = Ink::Mark.stand_in().mix(0.2).filled();
            plot.draw_series([Rectangle::new([(*low, y.0), (*high, y.1)], shade)])?;
        }
        for level in self.levels.iter().filter(|level| self.y.scale.holds(**level)) {
            let line = Ink::Mark.stand_in().stroke_width(3);
            plot.draw_series([PathElement::new([(x.0, *level), (x.1, *level)], line)])?;
        }
        Ok(())
    }

    /// The entries of the legend, as many in a line as fit.
    fn legend_lines(&self) -> Vec<Vec<(i32, LegendEntry<'_>)>> {
        let mut lines: Vec<Vec<(i32, LegendEntry<'_>)>> = Vec::new();
        let mut end = i32::MAX / 2;
        let spans = (!self.spans.is_empty()).then_some(LegendEntry::Spans(&self.span_name));
        let entries = self.series.iter().map(LegendEntry::Series).chain(spans);
        for entry in entries.filter(|entry| !entry.name().is_empty()) {
            let width = 124 + text_width(entry.name());
            if end + width > SIZE.0 as i32 {
                lines.push(Vec::new());
                end = 40;
            }
            lines.last_mut().expect("a line was begun").push((end, entry));
            end += width;
        }
        lines
    }
}

fn draw_legend(area: &Area<'_, '_>, lines: &[Vec<(i32, LegendEntry<'_>)>]) -> Drawn {
    let colour = Ink::Text.stand_in();
    let text = TextStyle::from(("sans-serif", FONT)).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
    for (number, line) in lines.iter().enumerate() {
        let y = number as i32 * LEGEND_LINE + 38;
        for (x, entry) in line {
            match entry {
                LegendEntry::Series(series) => series.draw_sample(area, (*x, y))?,
                LegendEntry::Spans(_) => {
                    let shade = Ink::Mark.stand_in().mix(0.2).filled();
                    area.draw(&Rectangle::new([(*x, y - 22), (x + 66, y + 22)], shade))?;
                }
            }
            area.draw_text(entry.name(), &text, (x + 78, y - 2))?;
        }
    }
    Ok(())
}

impl Series {
    fn ink(&self) -> RGBColor {
        Ink::Series(self.colour).stand_in()
    }

    fn stroke(&self) -> ShapeStyle {
        self.ink().stroke_width(6)
    }

    /// The sample beside a name in the legend: all that is drawn of the entry, and no more.
    fn draw_sample(&self, area: &Area<'_, '_>, (x, y): (i32, i32)) -> Drawn {
        if !self.band.is_empty() {
            area.draw(&Rectangle::new([(x, y - 22), (x + 66, y + 22)], self.ink().mix(0.16).filled()))?;
        }
        if !self.line.is_empty() {
            area.draw(&PathElement::new([(x, y), (x + 66, y)], self.stroke()))?;
        }
        if !self.marks.is_empty() {
            self.draw_mark(area, (x + 33, y))?;
        }
        if self.line.is_empty() && self.marks.is_empty() && !self.off_scale.is_empty() {
            area.draw(&Cross::new((x + 33, y), 11, self.ink().stroke_width(5)))?;
        }
        Ok(())
    }

    /// A mark with the series' own shape, so that series can be told apart without colour.
    fn draw_mark(&self, area: &Area<'_, '_>, at: (i32, i32)) -> Drawn {
        let ink = self.ink();
        match self.colour % 4 {
            0 => area.draw(&Circle::new(at, 11, ink.filled())),
            1 => area.draw(&TriangleMarker::new(at, 14, ink.filled())),
            2 => area.draw(&Circle::new(at, 10, ink.stroke_width(5))),
            _ => area.draw(&Rectangle::new([(at.0 - 9, at.1 - 9), (at.0 + 9, at.1 + 9)], ink.filled())),
        }?;
        Ok(())
    }

    fn draw_band(&self, plot: &mut Plot<'_, '_>) -> Drawn {
        let holds = |y: f64| plot.plotting_area().as_coord_spec().y_spec().holds(y);
        let points: Vec<_> = self.band.iter().filter(|(_, low, high)| holds(*low) && holds(*high)).collect();
        if points.len() > 1 {
            let upper = points.iter().map(|(x, _, high)| (*x, *high));
            let lower = points.iter().rev().map(|(x, low, _)| (*x, *low));
            let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
            plot.draw_series([Polygon::new(outline, self.ink().mix(0.16))])?;
        }
        Ok(())
    }

    /// Draws the line in unbroken parts, then the marks.
    fn draw(&self, area: &Area<'_, '_>, plot: &mut Plot<'_, '_>) -> Drawn {
        let (x, y) = (*plot.plotting_area().as_coord_spec().x_spec(), *plot.plotting_area().as_coord_spec().y_spec());
        let holds = |point: &(f64, f64)| x.holds(point.0) && y.holds(point.1);
        for piece in self.line.split(|point| !holds(point)).filter(|piece| piece.len() > 1) {
            plot.draw_series([PathElement::new(piece, self.stroke())])?;
        }
        for mark in self.marks.iter().filter(|mark| holds(mark)) {
            self.draw_mark(area, plot.backend_coord(mark))?;
        }
        for place in self.off_scale.iter().filter(|place| x.holds(**place)) {
            let edge = plot.backend_coord(&(*place, y.ends().1));
            // One below the other, so that those of several series at the same position are all visible.
            let below = 16 + 28 * (self.colour % 8) as i32;
            area.draw(&Cross::new((edge.0, edge.1 + below), 11, self.ink().stroke_width(5)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let series = Series {
            name: "a < b".to_owned(),
            colour: 1,
            line: vec![(1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0), (4.0, 0.5)],
            band: vec![(1.0, 1.0, 3.0), (4.0, 0.4, 0.6)],
            marks: vec![(1.0, 2.0)],
            off_scale: vec![3.5],
        };
        Chart {
            id: "c".to_owned(),
            title: "Loss & step".to_owned(),
            description: "One line.".to_owned(),
            x: ChartAxis::new("step", AxisScale::Linear),
            y: ChartAxis::new("loss", AxisScale::Log),
            series: vec![series],
            levels: vec![1.0],
            spans: vec![(1.5, 2.0)],
            span_name: "band".to_owned(),
        }
    }

    #[test]
    fn a_drawing_has_words_and_no_fixed_colours() {
        let svg = chart().svg().into_string();
        assert!(
            svg.contains("<title id=\"c-title\">Loss &amp; step</title><desc id=\"c-desc\">One line.</desc>"),
            "{svg}"
        );
        assert!(svg.contains("a &lt; b") && svg.contains("role=\"img\"") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("=\"#"), "every colour is a class: {svg}");
        assert_eq!(svg.matches("</svg>").count(), 1, "{svg}");
        assert_eq!(svg.matches("<polyline class=\"l-s1\"").count(), 0);
        assert_eq!(svg, chart().svg().into_string());
    }

    #[test]
    fn a_line_breaks_where_there_is_no_value() {
        let lines =
            |chart: &Chart| chart.svg().into_string().matches("class=\"l-s1\" stroke-width=\"6\" points").count();
        let mut chart = chart();
        chart.series[0].name.clear();
        assert_eq!(lines(&chart), 1, "a piece of one point is no line");
        chart.series[0].line[1].1 = 1.0;
        assert_eq!(lines(&chart), 1);
        chart.series[0].line.insert(2, (2.5, -1.0));
        assert_eq!(lines(&chart), 2, "-1 has no place on a logarithmic axis");
    }

    #[test]
    fn labels_have_room_and_shades_have_names() {
        let mut chart = chart();
        chart.series[0].line = vec![(0.0, 1e-5), (30_000.0, 2.0)];
        let svg = chart.svg().into_string();
        assert!(svg.contains("30000") && svg.contains("\nband\n"), "{svg}");
        // Half of "30000" from the end of the axis; 52 units of font, about 29 a digit.
        assert!(chart.widest_tick(&chart.x_axis()) >= 5 * 29);
    }

    #[test]
    fn a_chart_without_values_is_drawn() {
        let empty = Chart { series: Vec::new(), levels: Vec::new(), spans: Vec::new(), ..chart() };
        assert!(empty.svg_file().contains("prefers-color-scheme:dark"));
    }
}
