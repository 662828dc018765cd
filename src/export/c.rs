//! C99: the whole model as one file that needs only the standard library.

mod columns;
mod head;
mod helpers;
mod names;
mod network;

use std::collections::BTreeSet;

use super::plan::{ExportPlan, PlannedColumn, What};
use crate::data::{DateUnit, Keys};
use crate::option_text::setting;
use crate::{Error, Result};
use names::{comment, list, text};

/// The most bytes of a level: C99 compilers accept texts of 4,095 characters, and a byte may take four.
const LONGEST_TEXT: usize = 4095 / 4;

/// A file that is being written.
#[derive(Default)]
struct CSource {
    /// Helper functions that are called.
    helpers: BTreeSet<&'static str>,
    /// Bytes of the longest level.
    longest: usize,
    /// Lists for columns and answers.
    tables: String,
    /// The number of lists for the networks of all forms.
    lists: usize,
    /// Weights.
    data: String,
    /// Functions of this model.
    code: String,
}

/// The text of a model's file, and notes for the user.
///
/// # Errors
/// [`Error::Mismatch`] for a level that is longer than texts may be in C.
pub(super) fn source(plan: &ExportPlan<'_>, hash: &str) -> Result<(String, Vec<String>)> {
    refuse_long_texts(plan)?;
    let names = names::fields(plan.columns().iter().map(|column| column.name));
    let mut source = CSource::default();
    columns::inputs(plan, &names, &mut source);
    if plan.forms.is_empty() {
        network::network(plan, ("gl_network", 0), &mut source);
        head::predict(plan, &mut source);
    } else {
        let mut first = 0;
        for (number, form) in plan.forms.iter().enumerate() {
            network::network(&form.plan, (&head::function_of(number), first), &mut source);
            first += form.plan.networks.len();
        }
        head::predict_by_forms(plan, &mut source);
    }
    let mut file = interface(plan, &names, hash);
    file += "\n#include <float.h>\n#include <math.h>\n#include <stddef.h>\n#include <stdlib.h>\n#include <string.h>\n";
    file += &classes(plan);
    if source.longest > 0 {
        file += &format!("\n/* Length of the longest level. */\n#define GL_LONGEST {}\n", source.longest);
    }
    // The coefficients of a quantile must precede the function that reads them, and the type of an entry the lists of entries.
    let entry = source.helpers.contains("gl_find").then(|| helpers::texts(&BTreeSet::from(["gl_entry"])));
    let entry = entry.unwrap_or_default();
    file += &entry;
    file += &source.tables;
    file += helpers::texts(&source.helpers).strip_prefix(&entry).unwrap_or_default();
    file += &source.data;
    file += &source.code;
    file += if has_dates(plan) { DAYS } else { "" };
    file += &main(plan, &names);
    Ok((file, notes(plan)))
}

fn refuse_long_texts(plan: &ExportPlan<'_>) -> Result<()> {
    for column in plan.columns() {
        if let What::Category(places) = &column.what
            && let Keys::Texts { exact, normal } = &places.keys
            && exact.iter().chain(normal).any(|(key, _)| key.len() > LONGEST_TEXT)
        {
            let message = format!(
                "column \"{}\": a level is longer than the {LONGEST_TEXT} bytes that every C compiler takes: try {}",
                column.name,
                setting("to", "onnx")
            );
            return Err(Error::Mismatch(message));
        }
    }
    Ok(())
}

/// The interface of the file.
fn interface(plan: &ExportPlan<'_>, names: &[String], hash: &str) -> String {
    let target = plan.head.target;
    let labels = comment(&target.columns.join(", "));
    let classes = target.classes.len();
    let declared =
        if classes > 0 { format!("\nextern const char *const gradlane_classes[{classes}];\n") } else { String::new() };
    format!(
        "/* A model of gradlane {version}: {task}, {labels}\n \
         * weights {hash}\n \
         *\n \
         * gradlane_row row = {{0}};        fill in the fields: NAN for a missing number, NULL for a missing text\n \
         * gradlane_answer answer;\n \
         * int wrong = gradlane_predict(&row, &answer);\n \
         *\n \
         * wrong is 0, or the number (from 1) of the column whose value is infinite or too large.\n \
         * To use the model from other files, copy the part before the first #include into a header.\n \
         * cc -std=c99 -O2 FILE.c -lm; with -DGRADLANE_MAIN a program that predicts rows of standard input,\n \
         * whose cells, in the order of the fields, have tabs between them.\n \
         */\n\n\
         typedef struct {{\n{row}}} gradlane_row;\n\n\
         typedef struct {{\n{answer}}} gradlane_answer;\n\n\
         int gradlane_predict(const gradlane_row *row, gradlane_answer *answer);\n{declared}{days}",
        days = if has_dates(plan) { DAYS_DECLARED } else { "" },
        version = env!("CARGO_PKG_VERSION"),
        task = target.task,
        row = columns::fields(plan, names),
        answer = head::fields(&plan.head),
    )
}

/// Whether a column counts days or seconds since 1970.
fn has_dates(plan: &ExportPlan<'_>) -> bool {
    plan.columns().iter().filter_map(PlannedColumn::date_unit).any(|unit| unit != DateUnit::Clock)
}

const DAYS_DECLARED: &str = "
/* Days since 1970-01-01. A column of seconds takes 86400 times these, and the seconds of the day. */
double gradlane_days(int year, int month, int day);
";
/// Gregorian calendar, in years that begin with March.
const DAYS: &str = "
double gradlane_days(int year, int month, int day)
{
    long y = month > 2 ? year : year - 1L;
    long era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    long of_year = (153L * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (double)(era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468);
}
";

fn classes(plan: &ExportPlan<'_>) -> String {
    let classes = &plan.head.target.classes;
    if classes.is_empty() {
        return String::new();
    }
    let names = list(classes.iter().map(|class| text(class)));
    format!("\nconst char *const gradlane_classes[{}] = {{\n{names}}};\n", classes.len())
}

/// A program that predicts the rows of standard input.
fn main(plan: &ExportPlan<'_>, names: &[String]) -> String {
    let reading = columns::reading(plan, names);
    let number = if reading.contains("gl_cell_number") { CELL_NUMBER } else { "" };
    let count = if plan.columns().is_empty() { plan.inputs } else { plan.named(names).count() };
    let reading = format!(
        "{reading}        if (rest != NULL || gl_wrong_cells) {{\n            \
         fprintf(stderr, \"row %ld: expected {count} cells with tabs between them, those of numbers empty or a number\\n\", \
         number);\n            return 1;\n        }}\n"
    );
    MAIN.replace("@NUMBER@", number).replace("@READING@", &reading).replace("@PRINTING@", &head::printing(&plan.head))
}

const MAIN: &str = r#"
#ifdef GRADLANE_MAIN
#include <stdio.h>

/* Whether a line has another number of cells, or a text where a number should be. */
static int gl_wrong_cells;

/* The next cell of a line, of which NULL is left after the last one. */
static char *gl_cell(char **rest)
{
    static char none[1];
    char *cell = *rest;
    size_t length;
    if (cell == NULL) {
        gl_wrong_cells = 1;
        return none;
    }
    length = strcspn(cell, "\t\r\n");
    *rest = cell[length] == '\t' ? cell + length + 1 : NULL;
    cell[length] = 0;
    return cell;
}
@NUMBER@
int main(void)
{
    static char line[1 << 20];
    gradlane_row row;
    gradlane_answer answer;
    long number = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = line;
        int wrong, at;
        number++;
        if (strchr(line, '\n') == NULL && !feof(stdin)) {
            fprintf(stderr, "row %ld: the line is too long\n", number);
            return 1;
        }
@READING@        wrong = gradlane_predict(&row, &answer);
        if (wrong) {
            fprintf(stderr, "row %ld: the value of column %d is infinite or too large\n", number, wrong);
            return 1;
        }
@PRINTING@        printf("\n");
    }
    return 0;
}
#endif
"#;
const CELL_NUMBER: &str = r"
static double gl_cell_number(char **rest)
{
    char *cell = gl_cell(rest), *end;
    double value = strtod(cell, &end);
    if (*end != 0) gl_wrong_cells = 1;
    return *cell == 0 ? NAN : value;
}
";

/// Notes on columns whose numbers the caller must parse.
fn notes(plan: &ExportPlan<'_>) -> Vec<String> {
    let note = |column: &PlannedColumn<'_>| match &column.what {
        What::Number(number) => {
            number.counts.parsed().map(|counts| format!("column \"{}\": its field is a number, {counts}", column.name))
        }
        What::Category(_) => None,
    };
    plan.columns().iter().filter(|column| column.is_first).filter_map(note).collect()
}
