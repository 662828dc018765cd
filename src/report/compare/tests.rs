use super::report_html;
use crate::experiment::compare::analyse;
use crate::experiment::compare::records::Record;
use crate::experiment::compare::simulated::Simulated;

fn html(records: &[Record]) -> String {
    report_html(records, &analyse(records).unwrap()).unwrap()
}

#[test]
fn the_same_records_give_the_same_bytes_also_through_json() {
    let records = Simulated { problems: 2, studies: 3, trials: 4, ..Simulated::tied() }.records(1);
    let lines: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let read: Vec<Record> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(html(&records), html(&read));
}

#[test]
fn the_page_asks_for_nothing_and_has_a_text_for_every_chart() {
    let page = html(&Simulated { problems: 3, studies: 4, trials: 5, ..Simulated::tied() }.records(2));
    // The name of SVG's vocabulary is no address that is asked.
    let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http:", "https:", "<script", "<img", "url(", "@import", "src="] {
        assert!(!without_names.contains(word), "{word}");
    }
    let charts = page.matches("<svg").count();
    assert_eq!(charts, 2 + 3 + 3);
    assert_eq!(page.matches("<desc id=").count(), charts);
    assert_eq!(page.matches("Data of this chart").count(), charts);
    for id in page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn names_are_text_and_not_markup() {
    let mut simulated = Simulated { problems: 1, studies: 2, trials: 2, ..Simulated::tied() };
    simulated.optimizers[0].0 = "<b>&co</b>";
    let page = html(&simulated.records(3));
    assert!(page.contains("&lt;b&gt;&amp;co&lt;/b&gt;") && !page.contains("<b>"));
}

#[test]
fn a_comparison_that_was_ended_early_has_a_page() {
    let records = Simulated { problems: 2, studies: 3, trials: 4, ..Simulated::tied() }.records(4);
    for kept in [1, 3, 20] {
        assert!(html(&records[..kept]).contains("not finished"));
    }
}

#[test]
fn where_no_target_is_reached_speeds_are_not_compared() {
    let mut records = Simulated { problems: 1, studies: 3, trials: 2, ..Simulated::tied() }.records(5);
    let Record::Protocol(protocol) = &mut records[0] else { panic!("the protocol comes first") };
    protocol.problems[0].target = Some(0.0);
    assert!(html(&records).contains("speeds are not compared"));
}
