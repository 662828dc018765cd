//! Dates and times in text cells, read with operators of texts.

use super::nodes::{Name, OnnxNodes};
use super::words::{NO_WORD, ReadCell, literal};
use crate::data::{DateForm, DateUnit, MONTHS};

/// Blanks around a date, which parting a text into words removes.
const AROUND: &str = r"[ \t]*";
/// A date of ISO 8601, with or without a time and an offset, or a month.
const ISO: &str = concat!(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])",
    r"(?:[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?:[Zz]| UTC| ?[-+][0-9]{2}(?::?[0-9]{2})?)?)?)?"
);
/// Days from 0000-03-01 to 1970-01-01.
const BEFORE_1970: f64 = 719_468.0;
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// Whether the operators of texts can read a form of dates.
pub(super) fn is_known(form: &DateForm) -> bool {
    form.is_iso() || DatePattern::of(&form.pattern, form.unit).is_some()
}

/// Reads the cells of a column of dates. `missing` says which are missing.
pub(super) fn read(form: &DateForm, cell: &Name, missing: &Name, nodes: &mut OnnxNodes) -> ReadCell {
    let written = (!form.is_iso()).then(|| DatePattern::of(&form.pattern, form.unit).expect("the form is known"));
    let mut found: Option<FoundDates> = None;
    if form.unit != DateUnit::Clock {
        found = Some(by_iso(form.unit, cell, nodes));
    }
    if let Some(written) = written {
        let own = written.read(cell, nodes);
        found = Some(match found {
            None => own,
            Some(iso) => FoundDates {
                value: nodes.choose(&own.is_so, &own.value, &iso.value),
                is_so: nodes.op("Or", &[&own.is_so, &iso.is_so]),
            },
        });
    }
    let found = found.expect("a time of day has a pattern");
    let nan = nodes.double(f64::NAN);
    let other = nodes.op("Or", &[missing, &found.is_so]);
    ReadCell { value: nodes.choose(missing, &nan, &found.value), unreadable: nodes.op("Not", &[&other]) }
}

/// Values of one form.
struct FoundDates {
    value: Name,
    /// Whether a cell has this form.
    is_so: Name,
}

/// Days and seconds of dates of ISO 8601.
fn by_iso(unit: DateUnit, cell: &Name, nodes: &mut OnnxNodes) -> FoundDates {
    let is_so = nodes.matches(cell, &format!("{AROUND}{ISO}{AROUND}"));
    let text = nodes.only(&is_so, cell, "1970-01-01");
    let text = ["T", "t"].iter().fold(text, |text, letter| {
        let parts = nodes.parts(&text, letter, 2);
        let blank = nodes.texts(&[" ".to_owned()]);
        nodes.concatenated(&[parts[0].clone(), blank, parts[1].clone()])
    });
    let words = nodes.words(&text, 3);
    let date = nodes.parts(&words[0], "-", 3);
    let (year, month) = (nodes.number(&date[0], "0"), nodes.number(&date[1], "0"));
    let day = nodes.number(&date[2], "1");
    let (days, exists) = days(&year, &month, &day, nodes);
    let [time, offset] = [1, 2].map(|word| nodes.without(&words[word], NO_WORD, 1));
    let offset = nodes.without(&offset, "UTC", 1);
    let time = nodes.concatenated(&[time, offset]);
    let time = ["Z", "z"].iter().fold(time, |time, letter| nodes.without(&time, letter, 1));
    let east = nodes.parts(&time, "+", 2);
    let west = nodes.parts(&east[0], "-", 2);
    let (east, west_of) = (minutes(&east[1], nodes), minutes(&west[1], nodes));
    let clock = nodes.parts(&west[0], ":", 3);
    let clock: Vec<Name> = clock.iter().map(|part| nodes.number(part, "0")).collect();
    let terms = [
        nodes.times(&days, SECONDS_OF_A_DAY),
        nodes.times(&clock[0], 3600.0),
        nodes.times(&clock[1], 60.0),
        clock[2].clone(),
        nodes.times(&west_of, 60.0),
        nodes.times(&east, -60.0),
    ];
    let seconds = nodes.added(&terms);
    let value = if unit == DateUnit::Days { nodes.quotient(&seconds, SECONDS_OF_A_DAY) } else { seconds };
    FoundDates { value, is_so: nodes.op("And", &[&is_so, &exists]) }
}

/// The minutes of an offset such as `01:30`, `0130` or `01`; 0 where it is empty.
fn minutes(offset: &Name, nodes: &mut OnnxNodes) -> Name {
    let digits = nodes.without(offset, ":", 1);
    let is_hour = nodes.matches(&digits, "[0-9]{2}");
    let zeros = nodes.texts(&["00".to_owned()]);
    let longer = nodes.concatenated(&[digits.clone(), zeros]);
    let digits = nodes.choose(&is_hour, &longer, &digits);
    let number = nodes.number(&digits, "0");
    // An hour has 100 of the number and 60 minutes.
    let hours = nodes.quotient(&number, 100.0);
    let less = nodes.times(&hours, -40.0);
    nodes.added(&[number, less])
}

/// Days since 1970-01-01, and whether the month has the day.
///
/// Years begin in March, so that a leap day is their last.
fn days(year: &Name, month: &Name, day: &Name, nodes: &mut OnnxNodes) -> (Name, Name) {
    let three = nodes.double(3.0);
    let early = nodes.op("Less", &[month, &three]);
    let early = nodes.flag(&early);
    let year = nodes.op("Sub", &[year, &early]);
    let shift = nodes.times(&early, 12.0);
    let month = nodes.added(&[month.clone(), shift]);
    let month = nodes.plus(&month, -3.0);
    let start = month_start(&month, nodes);
    let within = nodes.added(&[start, day.clone()]);
    let within = nodes.plus(&within, -1.0);
    let (next_month, next_year) = (nodes.plus(&month, 1.0), nodes.plus(&year, 1.0));
    let (begin, end) = (year_start(&year, nodes), year_start(&next_year, nodes));
    let length = nodes.op("Sub", &[&end, &begin]);
    let next = month_start(&next_month, nodes);
    let end = nodes.op("Min", &[&next, &length]);
    let exists = nodes.op("Less", &[&within, &end]);
    let days = nodes.added(&[begin, within]);
    (nodes.plus(&days, -BEFORE_1970), exists)
}

/// Days of a year before a month, which is counted from March as 0.
fn month_start(month: &Name, nodes: &mut OnnxNodes) -> Name {
    let days = nodes.times(month, 153.0);
    let days = nodes.plus(&days, 2.0);
    nodes.quotient(&days, 5.0)
}

/// Days from 0000-03-01 to the first of March of a year.
fn year_start(year: &Name, nodes: &mut OnnxNodes) -> Name {
    let (common, fourth) = (nodes.times(year, 365.0), nodes.quotient(year, 4.0));
    let (century, fourth_century) = (nodes.quotient(year, 100.0), nodes.quotient(year, 400.0));
    let century = nodes.times(&century, -1.0);
    nodes.added(&[common, fourth, century, fourth_century])
}

/// A pattern of `strptime` as words, which blanks part; a word has directives with a character after each but the last.
struct DatePattern {
    words: Vec<Vec<(char, Option<char>)>>,
    unit: DateUnit,
}

impl DatePattern {
    /// `None` for a pattern with other directives, or without a character between two of them.
    fn of(pattern: &str, unit: DateUnit) -> Option<DatePattern> {
        let pattern = pattern.replace("%S%.f", "%S").replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S");
        let words: Vec<Vec<(char, Option<char>)>> = pattern.split(' ').map(word).collect::<Option<_>>()?;
        let written = DatePattern { words, unit };
        let named: Vec<char> = written.words.iter().flatten().map(|(directive, _)| *directive).collect();
        let count = |wanted: &[char]| named.iter().filter(|directive| wanted.contains(directive)).count();
        let clock = (count(&['H']), count(&['I']), count(&['p']));
        let fits = count(&['Y', 'y']) == usize::from(unit != DateUnit::Clock)
            && count(&['m', 'b', 'B']) <= 1
            && count(&['d']) <= count(&['m', 'b', 'B'])
            && matches!(clock, (0 | 1, 0, 0) | (0, 1, 1))
            && count(&['M']) <= count(&['H', 'I'])
            && count(&['S']) <= count(&['M'])
            && (unit != DateUnit::Clock || count(&['H', 'I']) == 1);
        fits.then_some(written)
    }

    /// A regular expression of the cells of this form.
    fn pattern(&self) -> String {
        let first = self.words[0].first().map(|(directive, _)| *directive);
        let part = |(directive, next): &(char, Option<char>)| {
            let digits = match directive {
                // Where a year of two digits is first, a day of one digit makes a version number.
                'd' if first == Some('y') => "(?:0[1-9]|[12][0-9]|3[01])",
                'd' => "(?:0?[1-9]|[12][0-9]|3[01])",
                'm' => "(?:0?[1-9]|1[0-2])",
                'b' => &format!("(?i:{})", MONTHS.map(|month| &month[..3]).join("|")),
                'B' => &format!("(?i:{})", MONTHS.join("|")),
                'Y' => "[1-9][0-9]{3}",
                'y' => "[0-9]{2}",
                'H' => "(?:[01]?[0-9]|2[0-3])",
                'I' => "(?:0?[1-9]|1[0-2])",
                'p' => "(?i:am|pm)",
                'S' => r"[0-5]?[0-9](?:\.[0-9]+)?",
                _ => "[0-5]?[0-9]",
            };
            let next = next.map(|c| literal(&c.to_string())).unwrap_or_default();
            format!("{digits}{next}")
        };
        let words: Vec<String> = self.words.iter().map(|word| word.iter().map(part).collect()).collect();
        format!("{AROUND}{}{AROUND}", words.join("[ \\t]+"))
    }

    /// A cell of this form.
    fn example(&self) -> String {
        let part = |(directive, next): &(char, Option<char>)| {
            let digits = match directive {
                'b' => "Jan",
                'B' => "January",
                'Y' => "1970",
                'y' => "70",
                'd' | 'm' | 'I' => "01",
                'p' => "AM",
                _ => "00",
            };
            format!("{digits}{}", next.map(String::from).unwrap_or_default())
        };
        let words: Vec<String> = self.words.iter().map(|word| word.iter().map(part).collect()).collect();
        words.join(" ")
    }

    fn read(&self, cell: &Name, nodes: &mut OnnxNodes) -> FoundDates {
        let is_so = nodes.matches(cell, &self.pattern());
        let text = nodes.only(&is_so, cell, &self.example());
        let mut numbers: Vec<(char, Name)> = Vec::new();
        let words = nodes.words(&text, self.words.len());
        for (word, text) in self.words.iter().zip(words) {
            let mut rest = text;
            for (at, (directive, next)) in word.iter().enumerate() {
                let part = match next {
                    None => rest.clone(),
                    Some(next) => {
                        let parts = nodes.parts(&rest, &next.to_string(), word.len() + 1 - at);
                        if at + 1 < word.len() {
                            // What follows may hold the same character.
                            rest = joined(&parts[1..], *next, nodes);
                        }
                        parts[0].clone()
                    }
                };
                numbers.push((*directive, number(*directive, &part, nodes)));
            }
        }
        let of = |directive: char| numbers.iter().find(|(named, _)| *named == directive).map(|(_, name)| name.clone());
        let Some(year) = of('Y').or_else(|| of('y')) else {
            return FoundDates { value: self.clock(&of, nodes), is_so };
        };
        let month = ['m', 'b', 'B'].into_iter().find_map(of).unwrap_or_else(|| nodes.double(1.0));
        let day = of('d').unwrap_or_else(|| nodes.double(1.0));
        let (days, exists) = days(&year, &month, &day, nodes);
        let value = if self.unit == DateUnit::Days {
            days
        } else {
            let seconds = [self.clock(&of, nodes), nodes.times(&days, SECONDS_OF_A_DAY)];
            nodes.added(&seconds)
        };
        FoundDates { value, is_so: nodes.op("And", &[&is_so, &exists]) }
    }

    /// Seconds since midnight; 0 for a date alone.
    fn clock(&self, of: &dyn Fn(char) -> Option<Name>, nodes: &mut OnnxNodes) -> Name {
        let mut terms = vec![nodes.double(0.0)];
        if let (Some(hour), Some(afternoon)) = (of('I'), of('p')) {
            // 12 AM is midnight, and 12 PM noon.
            let twelve = nodes.quotient(&hour, 12.0);
            let hour = [hour, nodes.times(&twelve, -12.0), nodes.times(&afternoon, 12.0)];
            let hour = nodes.added(&hour);
            terms.push(nodes.times(&hour, 3600.0));
        }
        for (directive, seconds) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
            if let Some(number) = of(directive) {
                terms.push(nodes.times(&number, seconds));
            }
        }
        nodes.added(&terms)
    }
}

/// Parts with the character between them again.
fn joined(parts: &[Name], between: char, nodes: &mut OnnxNodes) -> Name {
    if let [only] = parts {
        return only.clone();
    }
    let between = nodes.texts(&[between.to_string()]);
    let mut all = vec![parts[0].clone()];
    for part in &parts[1..] {
        all.extend([between.clone(), part.clone()]);
    }
    nodes.concatenated(&all)
}

/// The directives of a word, each with the character after it.
fn word(text: &str) -> Option<Vec<(char, Option<char>)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut letters = rest.strip_prefix('%')?.chars();
        let directive = letters.next().filter(|c| "dmbBYyHIMSp".contains(*c))?;
        let next = letters.next();
        if next.is_some_and(|c| c == '%' || (c.is_alphanumeric() && (c != 'T' || "bB".contains(directive)))) {
            return None;
        }
        parts.push((directive, next));
        rest = letters.as_str();
    }
    (!parts.is_empty()).then_some(parts)
}

/// The number of a part of a date; 1 for `PM`, and 0 for `AM`.
fn number(directive: char, part: &Name, nodes: &mut OnnxNodes) -> Name {
    match directive {
        'b' | 'B' => month(part, nodes),
        'p' => {
            let is_so = nodes.matches(part, "[pP].*");
            nodes.flag(&is_so)
        }
        'y' => {
            // 69 is 1969, and 68 is 2068.
            let short = nodes.number(part, "0");
            let bound = nodes.double(69.0);
            let young = nodes.op("Less", &[&short, &bound]);
            let young = nodes.flag(&young);
            let century = nodes.times(&young, 100.0);
            let year = nodes.added(&[short, century]);
            nodes.plus(&year, 1900.0)
        }
        _ => nodes.number(part, "0"),
    }
}

/// The number of a month from its English name or the first three letters of it, in any case.
fn month(name: &Name, nodes: &mut OnnxNodes) -> Name {
    let mut month = nodes.double(0.0);
    for (number, name_of) in (1..).zip(MONTHS) {
        let is_so = nodes.matches(name, &format!("(?i:{}(?:{})?)", &name_of[..3], &name_of[3..]));
        let number = nodes.double(f64::from(number));
        month = nodes.choose(&is_so, &number, &month);
    }
    month
}
