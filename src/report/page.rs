//! A self-contained page: its style is embedded, and it loads no scripts, fonts or pictures.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::Chart;

/// A page in light and dark, for screens of any width and for printing.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // An empty icon, since a browser would request /favicon.ico.
                link rel="icon" href="data:,";
                style { (PreEscaped(include_str!("page.css"))) (PreEscaped(Chart::style())) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A table that scrolls in its own box if it is wider than the screen. The first column and those numbered `words` are
/// left-aligned.
pub(super) fn table(caption: &str, header: &[String], rows: &[Vec<String>], words: &[usize]) -> Markup {
    let class = |column: usize| (column == 0 || words.contains(&column)).then_some("word");
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for (column, head) in header.iter().enumerate() {
                    th scope="col" class=[class(column)] { (head) }
                } } }
                tbody { @for row in rows { tr { @for (column, cell) in row.iter().enumerate() {
                    @if column == 0 { th.word scope="row" { (cell) } } @else { td class=[class(column)] { (cell) } }
                } } } }
            }
        }
    }
}

/// A chart with its caption, a heading and text, and its numbers as a table that opens on demand.
pub(super) fn figure(
    chart: &Chart,
    caption: (&str, &str),
    header: &[String],
    rows: &[Vec<String>],
    words: &[usize],
) -> Markup {
    html! {
        figure {
            figcaption { strong { (caption.0) } @if !caption.1.is_empty() { br; (caption.1) } }
            (chart.svg())
            details { summary { "Data of this chart" } (table(&chart.title, header, rows, words)) }
        }
    }
}

/// Texts as a header or a row.
pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
